"""A target: a model under study, loaded and named, with the fingerprint that its results are filed under.

Knows what belongs together; knows nothing about where the files came from (load.py) or what is asked (answer.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from transformers import PreTrainedModel

from tools.targets.fingerprint import fingerprint


@dataclass(frozen=True, eq=False)
class Target:
    """`family` is transformers' model type (`llava`, `clip`, …); `processor` turns words and pictures into tensors."""

    name: str
    family: str
    model: PreTrainedModel
    processor: Any

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of configuration and weights as they were when first asked for. Reads every weight once."""
        return fingerprint(self.model)

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def dtype(self) -> str:
        """Number format of the weights as loaded: `float32`, `bfloat16`, …"""
        return str(self.model.dtype).removeprefix("torch.")
