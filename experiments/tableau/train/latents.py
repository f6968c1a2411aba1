"""Triples as latents, made once: shards in a folder, each a file that any process may write.

Shard `number` holds the edits of SCENES_EACH scenes and is always the same for the same autoencoder, whoever makes it.
Knows pictures, words as token ids and files; knows nothing about noise (unet.py).
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from diffusers import AutoencoderKL
from jaxtyping import Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor

from experiments.tableau.pix2pix import WORDS_AT_MOST, Stock, instruction_tokenizer
from experiments.tableau.scene import Scene
from experiments.tableau.train.batches import pixels
from experiments.tableau.train.vae import STREAM
from experiments.tableau.triples import EDIT_KINDS, triples

SCENES_EACH, EDITS_EACH = 192, 6
"""Scenes of a shard, and edits that are asked of each."""
WORDINGS = 4
"""Wordings of an instruction that are kept."""
STAGE = 3
"""Number of the stage from which the scenes' seeds come."""
AT_ONCE = 32
"""Pictures in one pass of the encoder."""


class Shard(NamedTuple):
    """Latents of pictures; triples say which of them come before and after, and how that is asked for.

    `kind` is an index into EDIT_KINDS.
    """

    latents: Float[Tensor, "picture channel row column"]
    before: Int[Tensor, "triple"]
    after: Int[Tensor, "triple"]
    words: Int[Tensor, "triple wording token"]
    kind: Int[Tensor, "triple"]


def shard(folder: Path, number: int) -> Shard:
    """The shard from its file in `folder`, where `vae/` lies too; made and written first if it is not there."""
    path = folder / "latents" / f"{number:05d}.safetensors"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        with torch.autocast("cpu", torch.bfloat16):
            made = make(_autoencoder(folder / "vae"), number, STAGE)
        write(made, path)
    return Shard(**load_file(path))


def write(made: Shard, path: Path) -> None:
    """Writes the shard under a temporary name first; of two processes that make the same one, the last remains."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    save_file({name: part.contiguous() for name, part in made._asdict().items()}, partial)
    partial.replace(path)


@lru_cache(maxsize=1)
def _autoencoder(folder: Path) -> Stock:
    vae: Stock = AutoencoderKL.from_pretrained(folder)
    return vae.eval()


def make(vae: Stock, number: int, stage: int, scenes: int = SCENES_EACH) -> Shard:
    """The edits of scenes `number` · `scenes` … of a stage; latents in half precision."""
    rng = np.random.default_rng([stage, number, STREAM, 3])
    tokenizer = instruction_tokenizer()
    known: dict[Scene, int] = {}
    before, after, words, kinds = [], [], [], []
    for seed in range(number * scenes, (number + 1) * scenes):
        for found in triples((stage << 40) + seed, STREAM, EDITS_EACH):
            before.append(known.setdefault(found.before, len(known)))
            after.append(known.setdefault(found.after, len(known)))
            order = rng.permutation(len(found.wordings))
            said = [found.wordings[order[place % len(order)]] for place in range(WORDINGS)]
            words.append(
                tokenizer(
                    said, padding="max_length", truncation=True, max_length=WORDS_AT_MOST, return_tensors="pt"
                ).input_ids
            )
            kinds.append(EDIT_KINDS.index(found.kind))
    seen = list(known)
    with torch.no_grad():
        parts = [
            vae.encode(pixels(seen[start : start + AT_ONCE])).latent_dist.mode()
            for start in range(0, len(seen), AT_ONCE)
        ]
    return Shard(
        torch.cat(parts).half(),
        torch.tensor(before),
        torch.tensor(after),
        torch.stack(words).to(torch.int16),
        torch.tensor(kinds),
    )


def standardize(vae: Stock, pictures: Float[Tensor, "row 3 side side"]) -> None:
    """Shifts each latent channel to mean 0 over these pictures, and scales all to a standard deviation of 1.

    Done within the convolutions that write and read the latents, so that redrawings stay the same and the pipeline,
    which scales what it denoises but not what it is shown, needs no factor.
    """
    with torch.no_grad():
        latents = torch.cat([vae.encode(part).latent_dist.mode() for part in pictures.split(AT_ONCE)])
        mean = latents.mean(dim=(0, 2, 3))
        spread = (latents - mean[:, None, None]).std()
        channels = len(mean)
        written, read = vae.quant_conv, vae.post_quant_conv
        read.bias.add_(read.weight.sum(dim=(2, 3)) @ mean)
        read.weight.mul_(spread)
        written.weight[:channels].div_(spread)
        written.bias[:channels].sub_(mean).div_(spread)
        written.bias[channels:].sub_(2 * spread.log())
