"""Tiny targets whose parts matter: untrained weights are so small that every intervention would pass for none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tests.tiny import SIDE
from tools.stimuli import Stimulus
from tools.targets.load import load_target
from tools.targets.target import Target

QUESTIONS = ("what color is the star ?", "what shape is the circle ?", "is the circle red ?", "what shape ?")
"""The first two have equally many words."""


def lively(folder: Path, seed: int = 0) -> Target:
    """The model in the folder with weights drawn anew, at a scale at which activations are of order 1."""
    target = load_target(folder, name=folder.name, device="cpu")
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in target.model.parameters():
            if weights.ndim > 1:
                weights.normal_(0, weights[0].numel() ** -0.5 * 1.5, generator=generator)
            else:
                weights.add_(torch.randn(weights.shape, generator=generator) * 0.1)
    return target


def asked(*questions: str, seed: int = 0) -> list[Stimulus]:
    """A random picture for each question."""
    rng = np.random.default_rng(seed)
    return [
        Stimulus(
            f"{number}", Image.fromarray(rng.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)), question
        )
        for number, question in enumerate(questions)
    ]
