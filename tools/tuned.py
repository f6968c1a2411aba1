"""Tuned lens: an affine translator for every layer, trained so that the stream read through it says what the last one
says.

Belrose et al. 2023: p_l = softmax(W_U · norm(h + A_l h + b_l)) with A_l and b_l from 0, so that training begins at the
logit lens; the loss is KL(final ‖ lens), mean over positions. Knows streams, final norm and unembedding; knows nothing
about where streams come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from safetensors.torch import load, save
from torch import Tensor
from transformers import PreTrainedModel

from tools.lens import decoder_of

STEPS = 300
"""Of Adam, each on BATCH positions drawn at random."""
BATCH = 256
RATE = 2e-3
DECAY = 1e-3
"""Pull of the translators toward 0 (the logit lens)."""


@dataclass(frozen=True, eq=False)
class Translators:
    """`slope` is A, `shift` is b, one for each site."""

    slope: Float[Tensor, "site width width"]
    shift: Float[Tensor, "site width"]

    def __call__(self, streams: Float[Tensor, "site row width"]) -> Float[Tensor, "site row width"]:
        """The streams as the last layer would have them."""
        return streams + streams @ self.slope + self.shift[:, None]

    def to_bytes(self) -> bytes:
        """As a safetensors file."""
        return save({"slope": self.slope.contiguous(), "shift": self.shift.contiguous()})

    @staticmethod
    def from_bytes(data: bytes) -> Translators:
        """What `to_bytes` gave."""
        return Translators(**load(data))


def trained(
    model: PreTrainedModel,
    streams: Float[Tensor, "site row width"],
    final: Float[Tensor, "row word"],
    *,
    seed: int,
    steps: int = STEPS,
) -> Translators:
    """Translators for the sites of these streams; `final` are the logits that the model ends with at the same rows."""
    sites, rows, width = streams.shape
    generator = torch.Generator().manual_seed(seed)
    slope = torch.zeros(sites, width, width, device=streams.device, requires_grad=True)
    shift = torch.zeros(sites, width, device=streams.device, requires_grad=True)
    found = Translators(slope, shift)
    target = final.float().log_softmax(-1)
    adam = torch.optim.AdamW([slope, shift], lr=RATE, weight_decay=DECAY)
    rate = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.01, steps)
    with torch.enable_grad():
        for _ in range(steps):
            picked = torch.randint(rows, (min(BATCH, rows),), generator=generator).to(streams.device)
            loss = _divergence(_lens(model, found(streams[:, picked])), target[picked]).mean(-1).sum()
            gradients = torch.autograd.grad(loss, [slope, shift])
            for parameter, gradient in zip([slope, shift], gradients, strict=True):
                parameter.grad = gradient
            adam.step()
            rate.step()
    return Translators(slope.detach(), shift.detach())


@torch.no_grad()
def read(
    model: PreTrainedModel, streams: Float[Tensor, "site row width"], translators: Translators | None
) -> Float[Tensor, "site row word"]:
    """Logits of the lens at each site; of the plain logit lens without translators."""
    return _lens(model, streams if translators is None else translators(streams))


def divergence(
    lens: Float[Tensor, "site row word"], final: Float[Tensor, "row word"]
) -> Float[Tensor, "site row"]:
    """KL(final ‖ lens) in nats."""
    return _divergence(lens, final.float().log_softmax(-1))


def _divergence(
    lens: Float[Tensor, "site row word"], target: Float[Tensor, "row word"]
) -> Float[Tensor, "site row"]:
    return (target.exp() * (target - lens.float().log_softmax(-1))).sum(-1)


def _lens(model: PreTrainedModel, streams: Float[Tensor, "site row width"]) -> Float[Tensor, "site row word"]:
    decoder, unembed = decoder_of(model)
    logits: Tensor = unembed(decoder.norm(streams.to(model.dtype)))
    return logits.float()


def thinned(places: Sequence[int], most: int) -> list[int]:
    """At most so many of the places, evenly."""
    if len(places) <= most:
        return list(places)
    return [places[round(number * (len(places) - 1) / (most - 1))] for number in range(most)]
