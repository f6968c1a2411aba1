"""Mean-ablation of attention channels: a head's output replaced by what it is on average.

Knows where a head writes (its slice of the input of the attention's output projection) and the means of that input over
a reference set, one for each class of positions, so that an ablated head still says what it always says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration

from experiments.tableau.inside.activations import reading
from experiments.tableau.inside.stimuli import Stimuli, decode, embedded
from experiments.tableau.models import FEATURE_LAYER, PREFIX, VISION_TOKENS

POSITION_CLASSES = ("start or class token", "visual token", "question word", "last position")


class Component(NamedTuple):
    """Channels of a layer's attention output: a head, or as many channels drawn at random across heads."""

    address: str
    tower: str
    layer: int
    channels: tuple[int, ...]


def heads(model: LlavaForConditionalGeneration, tower: str) -> list[Component]:
    """All heads of `vision` or `language` that something downstream reads."""
    found = []
    for layer, attention in enumerate(_attentions(model, tower)):
        width, size = _width(attention), attention.head_dim
        for head in range(width // size):
            channels = tuple(range(head * size, (head + 1) * size))
            found.append(Component(f"{tower}.{layer}.head.{head}", tower, layer, channels))
    return found


def random_channels(model: LlavaForConditionalGeneration, tower: str, seed: int) -> list[Component]:
    """The control: in each layer, as many channels as a head has, drawn from all heads."""
    rng = np.random.default_rng(seed)
    found = []
    for layer, attention in enumerate(_attentions(model, tower)):
        size = attention.head_dim
        channels = tuple(sorted(map(int, rng.permutation(_width(attention))[:size])))
        found.append(Component(f"{tower}.{layer}, {size} random channels", tower, layer, channels))
    return found


def projections(model: LlavaForConditionalGeneration, tower: str) -> list[nn.Module]:
    """The attention's output projection of each layer; of the vision tower only of layers that are read."""
    return [_projection(attention) for attention in _attentions(model, tower)]


def position_classes(batch: Stimuli, tower: str) -> Int[Tensor, "row position"]:
    """Index into POSITION_CLASSES; what lies behind the last position counts as question."""
    if tower == "vision":
        return (
            (torch.arange(1 + VISION_TOKENS, device=batch.ids.device) > 0).long().expand(len(batch.ids), -1)
        )
    places = torch.arange(batch.ids.shape[1], device=batch.ids.device)[None]
    classes = (places > 0).long() + (places >= PREFIX).long()
    return torch.where(places == batch.last[:, None], 3, classes)


def reference_means(
    model: LlavaForConditionalGeneration, reference: Iterable[Stimuli], tower: str
) -> list[Float[Tensor, "class channel"]]:
    """Means over the reference set, for each layer of `projections`; 0 for classes that do not occur."""
    modules = {str(layer): module for layer, module in enumerate(projections(model, tower))}
    width = _width(_attentions(model, tower)[0])
    sums = {name: torch.zeros(len(POSITION_CLASSES), width) for name in modules}
    counts = torch.zeros(len(POSITION_CLASSES))
    with torch.inference_mode():
        for batch in reference:
            classes = position_classes(batch, tower)
            real = torch.ones_like(classes, dtype=torch.bool)
            if tower == "language":
                real = torch.arange(classes.shape[1], device=classes.device)[None] <= batch.last[:, None]
            chosen = classes[real].cpu()

            def keep(name: str, given: Tensor, real: Tensor = real, chosen: Tensor = chosen) -> None:
                sums[name].index_add_(0, chosen, given[real].float().cpu())

            counts += torch.bincount(chosen, minlength=len(POSITION_CLASSES))
            with reading(modules, keep):
                decode(model, embedded(model, batch))
    return [(total / counts.clamp(min=1)[:, None]).to(model.device) for total in sums.values()]


@contextmanager
def ablated(
    module: nn.Module,
    channels: Sequence[int],
    means: Float[Tensor, "class channel"],
    classes: Int[Tensor, "row position"],
) -> Iterator[None]:
    """Sets the channels of the module's input to the mean of each position's class while the context lasts.

    Raises RuntimeError when the module did not run in the meantime: nothing was ablated then.
    """
    fired, index = 0, torch.tensor(list(channels), dtype=torch.long, device=means.device)
    values = means[:, index]

    def replace(_: nn.Module, given: Any) -> tuple[Tensor]:
        nonlocal fired
        fired += 1
        changed = given[0].clone()
        changed[..., index] = values[classes].to(changed.dtype)
        return (changed,)

    handle = module.register_forward_pre_hook(replace)
    try:
        yield
    finally:
        handle.remove()
    if not fired:
        raise RuntimeError("the ablation's hook did not fire: its module did not run")


def _attentions(model: LlavaForConditionalGeneration, tower: str) -> list[Any]:
    parts = model.model
    layers = parts.language_model.layers if tower == "language" else parts.vision_tower.encoder.layers
    read = len(layers) if tower == "language" else len(layers) + FEATURE_LAYER + 1
    return [layer.self_attn for layer in layers[:read]]


def _projection(attention: Any) -> nn.Module:
    return attention.o_proj if hasattr(attention, "o_proj") else attention.out_proj


def _width(attention: Any) -> int:
    return int(_projection(attention).in_features)  # type: ignore[arg-type]  # a Linear, seen as nn.Module
