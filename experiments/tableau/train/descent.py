"""How weights descend: Muon inside layers and AdamW elsewhere as one optimizer, and the running average of weights.

Knows parameters, their names and gradients; knows nothing about stages, losses or what is saved when (loop.py).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

MUON_RATE = 4.0
"""Muon's learning rate as a multiple of the rate that a stage states (its updates are matched to AdamW's RMS)."""
INSIDE = (".layers.", ".resnets.", ".downsamplers.", ".upsamplers.", ".transformer_blocks.")
"""What stands in the names of weights that lie inside a network's layers, where Muon is at home."""


class Optimizers:
    """Muon for the weight matrices inside layers, AdamW for everything else, as one optimizer.

    A convolution's kernel is a matrix too, with a row for each output channel: Muon is given a flat view of it.
    """

    def __init__(self, model: nn.Module, rates: dict[str, float]) -> None:
        matrices: dict[float, list[nn.Parameter]] = {}
        others: dict[float, list[nn.Parameter]] = {}
        for name, parameter in model.named_parameters():
            fitting = [prefix for prefix in rates if name.startswith(prefix)]
            rate = rates[max(fitting, key=len)] if fitting else 0.0
            parameter.requires_grad_(rate > 0)
            if rate > 0:
                inside = any(mark in name for mark in INSIDE) and parameter.ndim in (2, 4)
                (matrices if inside else others).setdefault(rate, []).append(parameter)
        self.parts: list[torch.optim.Optimizer] = []
        self.flat = {
            kernel: nn.Parameter(kernel.detach().flatten(1))
            for found in matrices.values()
            for kernel in found
            if kernel.ndim == 4
        }
        if matrices:
            groups = [
                {"params": [self.flat.get(one, one) for one in found], "lr": MUON_RATE * rate}
                for rate, found in matrices.items()
            ]
            self.parts.append(torch.optim.Muon(groups, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"))
        if others:
            groups = [{"params": found, "lr": rate} for rate, found in others.items()]
            self.parts.append(torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01, fused=True))
        self.peaks = [group["lr"] for group in self._groups()]

    def _groups(self) -> list[dict[str, Any]]:
        return [group for part in self.parts for group in part.param_groups]

    def set_rate(self, share: float) -> None:
        """Sets every learning rate to this share of its peak."""
        for group, peak in zip(self._groups(), self.peaks, strict=True):
            group["lr"] = peak * share

    def step(self) -> None:
        for kernel, flat in self.flat.items():
            flat.grad = None if kernel.grad is None else kernel.grad.flatten(1)
            kernel.grad = None
        for part in self.parts:
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        for part, state in zip(self.parts, states, strict=True):
            part.load_state_dict(state)


class Average:
    """The running average of a model's trained parameters; `with` it, the model has the averaged ones.

    The first steps are forgotten faster, so that the start does not linger. With `share` 0 it does nothing.
    """

    def __init__(self, model: nn.Module, share: float) -> None:
        self.share = share
        self.own = [one for one in model.parameters() if one.requires_grad] if share else []
        self.averaged = [one.detach().clone() for one in self.own]

    def update(self, step: int) -> None:
        """Takes in the parameters as they are after a step, counted from 0."""
        if self.own:
            taken = 1 - min(self.share, (1 + step) / (10 + step))
            torch._foreach_lerp_(self.averaged, [one.detach() for one in self.own], taken)

    def exchange(self) -> None:
        """The model gets the averaged parameters, and its own are kept here; the other way round the next time."""
        for one, other in zip(self.own, self.averaged, strict=True):
            kept = one.detach().clone()
            one.detach().copy_(other)
            other.copy_(kept)

    def __enter__(self) -> None:
        self.exchange()

    def __exit__(self, *_: object) -> None:
        self.exchange()

    def state_dict(self) -> list[Tensor]:
        return self.averaged

    def load_state_dict(self, averaged: list[Tensor]) -> None:
        for one, saved in zip(self.averaged, averaged, strict=True):
            one.copy_(saved)
