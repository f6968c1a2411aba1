"""Training the editor: a denoiser of latents that is shown the picture before an edit and told the edit.

It predicts the velocity (Salimans & Ho 2022); low noise counts less (as in Hang et al. 2023) and is drawn less often,
because the edit is decided where there is much. Where a picture changes counts more, since the rest is copying. Now and
then the picture, the words or both are withheld, so that guidance works (Brooks et al. 2023).
"""

from __future__ import annotations

import json
import math
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from diffusers import AutoencoderKL
from jaxtyping import Float, Int
from torch import Tensor, nn

from experiments.registry import WEIGHTS, open_target
from experiments.tableau.card import RECORD
from experiments.tableau.pix2pix import (
    NOISE_LEVELS,
    WORDS_AT_MOST,
    Stock,
    instruction_tokenizer,
    new_text_encoder,
    new_unet,
    noise_scheduler,
    open_pipeline,
    take_text_tower,
)
from experiments.tableau.train.batches import pixels, scenes_of
from experiments.tableau.train.latents import Shard, make, shard, standardize
from experiments.tableau.train.loop import (
    BEFORE,
    Outcome,
    Stage,
    finished_weights,
    stages_run,
    steps_before,
)
from experiments.tableau.train.vae import STREAM, VaeTrainee
from experiments.tableau.triples import EDIT_KINDS, EditKind

STEPS, ROWS = 5000, 64
RATES = {"unet": 8e-4, "text": 5e-4}
AVERAGE = 0.997
"""Share of the averaged weights that a step leaves as it was."""
FIRST_SHARDS, STEPS_EACH = 2, 40
"""Shards that the first step draws from, and steps after which it is one more."""
OFTENER: dict[EditKind, float] = {"add": 2.0, "draw": 2.0}
"""How much oftener than as sampled an edit of a kind is drawn: something from nothing takes longest to learn."""
WITHHELD = 0.05
"""Shares of the rows without the picture, without the words, and without both."""
NOISY_SHARE, NOISY_FROM = 0.5, 600
"""Share of the rows that have a noise level from NOISY_FROM on; the others have any."""
CLEAR_AT_MOST = 4.0
"""Signal-to-noise ratio, plus one, from which on clearer rows count less."""
CHANGED, CHANGES = 10.0, 0.3
"""Weight of cells that the edit changes, and the mean absolute difference of latents from which on one has changed."""
CHECKED, STANDARD = 90, 256
"""Number of the stage that no training has, and scenes of it over which latents are standardized."""


class EditBatch(NamedTuple):
    """Latents before, which are 0 where the picture is withheld, and after; words; noise and its level."""

    before: Float[Tensor, "row channel height width"]
    after: Float[Tensor, "row channel height width"]
    changed: Float[Tensor, "row 1 height width"]
    words: Int[Tensor, "row token"]
    noise: Float[Tensor, "row channel height width"]
    level: Int[Tensor, "row"]
    kind: Int[Tensor, "row"]


class EditorTrainee(nn.Module):
    """The denoiser and the reader of instructions, which learn together."""

    def __init__(self, seed: int, channels: tuple[int, int] = (64, 112)) -> None:
        super().__init__()
        self.unet: Any = new_unet(seed, channels)
        self.text: Any = new_text_encoder(seed)
        self.register_buffer("signal", noise_scheduler().alphas_cumprod, persistent=False)

    def step(self, batch: EditBatch) -> Outcome:
        """Weighted mean square error of the velocity; the figures are those of changed and of other cells."""
        signal = self.signal[batch.level]  # type: ignore[index]
        keep, add = signal.sqrt()[:, None, None, None], (1 - signal).sqrt()[:, None, None, None]
        noisy = keep * batch.after + add * batch.noise
        velocity = keep * batch.noise - add * batch.after
        told = self.text(input_ids=batch.words.long()).last_hidden_state
        found = self.unet(torch.cat([noisy, batch.before], dim=1), batch.level, told).sample.float()
        off = (found - velocity).square().mean(dim=1, keepdim=True)
        weights = 1 + (CHANGED - 1) * batch.changed
        each = (off * weights).sum(dim=(1, 2, 3)) / weights.sum(dim=(1, 2, 3))
        clear = 1 / (1 - signal)
        loss = (each * (CLEAR_AT_MOST / clear).clamp(max=1)).mean()
        changed, same = batch.changed.sum().clamp(min=1), (1 - batch.changed).sum().clamp(min=1)
        figures = {
            "changed": float((off.detach() * batch.changed).sum() / changed),
            "same": float((off.detach() * (1 - batch.changed)).sum() / same),
        }
        return Outcome(loss, figures)


def batch_of(step: int, *, folder: Path, rows: int = ROWS, earlier: int = 0) -> EditBatch:
    """Edits drawn from the shards that are there at this step, which `earlier` steps of other trainings precede."""
    rng = np.random.default_rng([earlier + step, STREAM, 4])
    drawn = rng.integers(FIRST_SHARDS + (earlier + step) // STEPS_EACH, size=rows)
    parts = [_shard(folder, int(number)) for number in drawn]
    chosen = [int(rng.choice(len(part.kind), p=_odds(part.kind))) for part in parts]
    return edit_batch(parts, chosen, rng)


def _odds(kinds: Int[Tensor, "triple"]) -> Float[np.ndarray, "triple"]:
    """How likely each triple of a shard is to be drawn."""
    weights = np.array([OFTENER.get(EDIT_KINDS[kind], 1.0) for kind in kinds.tolist()])
    odds: Float[np.ndarray, "triple"] = weights / weights.sum()
    return odds


@lru_cache(maxsize=1024)
def _shard(folder: Path, number: int) -> Shard:
    return shard(folder, number)


def edit_batch(
    parts: list[Shard], chosen: list[int], rng: np.random.Generator, withheld: float = WITHHELD
) -> EditBatch:
    """A row for triple `chosen` of each part, in one of its wordings."""
    pairs = list(zip(parts, chosen, strict=True))
    before = torch.stack([part.latents[part.before[index]].float() for part, index in pairs])
    after = torch.stack([part.latents[part.after[index]].float() for part, index in pairs])
    words = torch.stack([part.words[index, int(rng.integers(part.words.shape[1]))] for part, index in pairs])
    changed = ((after - before).abs().mean(dim=1, keepdim=True) > CHANGES).float()
    without = rng.random(len(pairs))
    words[torch.from_numpy((without >= withheld) & (without < 3 * withheld))] = _nothing_said()
    before = before * torch.from_numpy(without >= 2 * withheld)[:, None, None, None]
    low = np.where(rng.random(len(pairs)) < NOISY_SHARE, NOISY_FROM, 0)
    level = torch.from_numpy(rng.integers(low, NOISE_LEVELS))
    noise = torch.from_numpy(rng.standard_normal(tuple(after.shape), dtype=np.float32))
    kind = torch.stack([part.kind[index] for part, index in pairs])
    return EditBatch(before, after, changed, words, noise, level, kind)


@lru_cache(maxsize=1)
def _nothing_said() -> Int[Tensor, "token"]:
    asked = instruction_tokenizer()("", padding="max_length", max_length=WORDS_AT_MOST, return_tensors="pt")
    words: Tensor = asked.input_ids[0].to(torch.int16)
    return words


def prepare(folder: Path, autoencoder: Path, trainee: EditorTrainee, *, committed: bool = False) -> Stock:
    """Readies `folder` and a trainee that has not learned yet, and gives the autoencoder whose latents it learns from.

    The autoencoder comes from its finished training in the folder `autoencoder`, standardized, and the reader of
    instructions starts from `tableau-clip`'s text tower; with `committed` all comes from the committed weights.
    """
    kept, parent = folder / "vae", WEIGHTS / "tableau-pix2pix"
    if committed:
        pipeline: Stock = open_pipeline(parent)
        trainee.unet.load_state_dict(pipeline.unet.state_dict())
        trainee.text.load_state_dict(pipeline.text_encoder.state_dict())
    elif not (folder / "state.pt").exists():
        clip: Any = open_target("tableau-clip", "cpu").model
        take_text_tower(trainee.text, clip.text_model)
    if not kept.exists():
        vae: Stock = pipeline.vae if committed else _finished(autoencoder)
        vae.save_pretrained(kept)
    if committed:
        (folder / BEFORE).write_bytes((parent / RECORD).read_bytes())
    elif not (folder / BEFORE).exists():
        about = {"stages": stages_run(autoencoder)}
        (folder / BEFORE).write_text(json.dumps(about) + "\n", encoding="utf-8")
    kept_vae: Stock = AutoencoderKL.from_pretrained(kept)
    return kept_vae.eval()


def _finished(autoencoder: Path) -> Stock:
    """The autoencoder at the end of its training, standardized over pictures like those of its training."""
    vae = VaeTrainee(0)
    vae.load_state_dict(finished_weights(autoencoder))
    standardize(vae.vae, pixels(scenes_of(CHECKED, 1, STANDARD, {"balanced": 1.0}, STREAM)))
    return vae.vae


def stages(trainee: EditorTrainee, scale: float, folder: Path) -> list[Stage]:
    """The recipe; `scale` shortens it for trials. `folder` holds the autoencoder, the latents and what went before."""
    return [
        Stage(
            "edit",
            math.ceil(STEPS * scale),
            RATES,
            partial(batch_of, folder=folder, earlier=steps_before(folder, "edit")),
            trainee.step,
            average=AVERAGE,
        )
    ]


def evaluate(trainee: EditorTrainee, vae: Stock, rows: int = 128) -> dict[str, float]:
    """Errors of the velocity at much noise, on edits of scenes that no training shows, in changed and other cells."""
    part = _checked(vae)
    rng = np.random.default_rng([CHECKED, STREAM, 5])
    chosen = rng.permutation(len(part.kind))[:rows].tolist()
    batch = edit_batch([part] * len(chosen), chosen, rng, withheld=0.0)
    batch = batch._replace(level=torch.full_like(batch.level, 800))
    device = trainee.unet.device
    return trainee.step(EditBatch(*(one.to(device) for one in batch))).figures


_kept: dict[int, Shard] = {}


def _checked(vae: Stock) -> Shard:
    """A shard of scenes that no training shows."""
    if id(vae) not in _kept:
        with torch.autocast("cpu", enabled=False):
            _kept[id(vae)] = make(vae, 0, CHECKED, scenes=40)
    return _kept[id(vae)]
