"""From a training folder to committed weights: fp16 files that stock classes load, with a card beside them.

Knows which files a model's folder holds and how they are hashed. The card's figures come from the recorded
measurements (experiments/tableau/results/), never from here; see card.py.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import LlamaForCausalLM, PreTrainedModel

from experiments.tableau.models import clip_processor, llava_processor, new_clip, new_llava, tokenizer

Weights = dict[str, Tensor]


def export_clip(training: Path, folder: Path) -> None:
    """`tableau-clip` as it stands at the end of its training."""
    model = new_clip(0)
    model.load_state_dict(_part(_final(training), "clip."))
    _write(model, clip_processor(), folder)


def export_llava(training: Path, folder: Path, checkpoints: dict[str, str]) -> None:
    """`tableau-llava` as it stands, and under `checkpoints/NAME` the snapshots that `checkpoints` names.

    The checkpoint of the stage `text` is the decoder alone: nothing else has been trained by then.
    """
    _write(_llava(_final(training)), llava_processor(), folder)
    for name, snapshot in checkpoints.items():
        weights = load_file(training / "snapshots" / f"{snapshot}.safetensors")
        model = _llava(weights)
        if name == "text":
            _write(_decoder(model), tokenizer(), folder / "checkpoints" / name)
        else:
            _write(model, llava_processor(), folder / "checkpoints" / name)


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
    """Replaces the folder's files; a card that is there is left for card.py to renew."""
    folder.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(folder)
    processor.save_pretrained(folder)


def _final(training: Path) -> Weights:
    return dict(torch.load(training / "state.pt", map_location="cpu", weights_only=True)["model"])


def _part(weights: Weights, prefix: str) -> Weights:
    """The tensors under a prefix, as float32 and without it."""
    return {
        name.removeprefix(prefix): value.float() for name, value in weights.items() if name.startswith(prefix)
    }


def clear(folder: Path) -> None:
    """Removes a folder that is about to be written anew."""
    shutil.rmtree(folder, ignore_errors=True)
