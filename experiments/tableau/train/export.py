"""From a training folder to committed weights: fp16 files that stock classes load, with a card beside them.

Knows which files a model's folder holds and how they are hashed. The card's figures come from the recorded
measurements (experiments/tableau/results/), never from here; see card.py.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diffusers import AutoencoderKL
from safetensors.torch import load_file
from torch import Tensor
from transformers import LlamaForCausalLM, PreTrainedModel

from experiments.tableau.card import RECORD
from experiments.tableau.judge import Judge
from experiments.tableau.models import clip_processor, llava_processor, new_clip, new_llava, tokenizer
from experiments.tableau.pix2pix import pipeline_of
from experiments.tableau.train.loop import BEFORE, finished_weights, learned_so_far, stages_run
from experiments.tableau.train.unet import EditorTrainee
from store.errors import UserError

Weights = dict[str, Tensor]


CHECKPOINTS = {
    "text": ("text", 1),
    "align": ("align", 1),
    "early": ("instruct", 2),
    "middle": ("instruct", 4),
}
"""Name of a committed checkpoint → its stage, and which of the stage's snapshots it is, counted from 1."""


def export_clip(training: Path, folder: Path) -> None:
    """`tableau-clip` as it stands at the end of its training."""
    model = new_clip(0)
    model.load_state_dict(_part(finished_weights(training), "clip."))
    _write(model, clip_processor(), folder)
    _record(training, folder)


def export_llava(training: Path, folder: Path) -> None:
    """`tableau-llava` as it stands, and under `checkpoints/NAME` the snapshots that CHECKPOINTS names.

    The checkpoint of the stage `text` is the decoder alone: nothing else has been trained by then. A training that
    went on from committed weights leaves their checkpoints as they are.
    """
    _write(_llava(finished_weights(training)), llava_processor(), folder)
    _record(training, folder)
    if (training / BEFORE).exists():
        return
    for name, (stage, number) in CHECKPOINTS.items():
        kept = sorted((training / "snapshots").glob(f"{stage}-*.safetensors"))
        if len(kept) < number:
            raise UserError(
                f"`{training / 'snapshots'}` holds {len(kept)} of the stage `{stage}`, not {number}",
                kind="other_recipe",
                hint="train to the end with `python -m experiments.tableau.train llava`",
            )
        model = _llava(load_file(kept[number - 1]))
        if name == "text":
            _write(_decoder(model), tokenizer(), folder / "checkpoints" / name)
        else:
            _write(model, llava_processor(), folder / "checkpoints" / name)


def export_judge(training: Path, folder: Path) -> None:
    """`tableau-judge` as it stands at the end of its training."""
    judge = Judge()
    judge.load_state_dict(_part(finished_weights(training), "judge."))
    folder.mkdir(parents=True, exist_ok=True)
    judge.save(folder)
    _record(training, folder)


def export_pix2pix(training: Path, folder: Path) -> None:
    """`tableau-pix2pix` as far as its training went, finished or not, as one pipeline's folder."""
    trainee = EditorTrainee(0)
    learned_so_far(training, trainee)
    vae: Any = AutoencoderKL.from_pretrained(training / "vae")
    vae.register_to_config(_name_or_path="tableau-pix2pix")
    if folder.exists():
        shutil.rmtree(folder)
    pipeline_of(vae.half(), trainee.unet.half(), trainee.text.half()).save_pretrained(folder)
    _record(training, folder)


EXPORTS: dict[str, Callable[[Path, Path], None]] = {
    "clip": export_clip,
    "llava": export_llava,
    "llava-shortcut": export_llava,
    "llava-balanced": export_llava,
    "judge": export_judge,
    "pix2pix": export_pix2pix,
}


def _record(training: Path, folder: Path) -> None:
    """Writes what the card says of the training: how it was run, and its stages with steps and seconds."""
    record = json.loads((training / "run.json").read_text(encoding="utf-8")) | {
        "stages": stages_run(training)
    }
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _llava(weights: Weights) -> PreTrainedModel:
    model = new_llava(0)
    model.load_state_dict(_part(weights, "llava."))
    return model


def _decoder(model: Any) -> PreTrainedModel:
    """The language model of a LLaVA with its tied read-out."""
    decoder = LlamaForCausalLM(model.config.text_config)
    decoder.model.load_state_dict(model.model.language_model.state_dict())
    decoder.lm_head.weight = decoder.model.embed_tokens.weight
    return decoder


def _write(model: PreTrainedModel, processor: Any, folder: Path) -> None:
    """Writes the folder's own files anew; folders inside it stay."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.is_file():
            path.unlink()
    model.half().save_pretrained(folder)
    processor.save_pretrained(folder)


def _part(weights: Weights, prefix: str) -> Weights:
    """The tensors under a prefix, as float32 and without it."""
    return {
        name.removeprefix(prefix): value.float() for name, value in weights.items() if name.startswith(prefix)
    }
