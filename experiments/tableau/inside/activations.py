"""Activations of MLP units over many stimuli, one number for each unit and stimulus.

Knows where units are (the input of an MLP's last linear map: GELU(fc1) in the vision tower, SiLU(gate)·up in the
decoder) and how tokens are pooled. Knows nothing about what the stimuli show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration

from experiments.tableau.inside.stimuli import Stimuli, decode, embedded
from experiments.tableau.models import PREFIX

Scope = Literal["visual", "last"]
Activations = Float[np.ndarray, "stimulus unit"]


class Site(NamedTuple):
    """The MLP units of a layer over a token scope: `visual` = the maximum over a picture's tokens, `last` = at `:`."""

    address: str
    scope: Scope

    def __str__(self) -> str:
        return f"{self.address} ({self.scope})"


def units_on_pictures(
    model: LlavaForConditionalGeneration, pictures: Iterable[Stimuli]
) -> dict[Site, Activations]:
    """Every vision and language layer's units, maximum over the picture's tokens (the class token left out).

    No question is needed: visual tokens come first and the decoder is causal.
    """
    visual = {f"vision.{i}.mlp": layer.mlp.fc2 for i, layer in enumerate(_vision(model))}
    language = {f"language.{i}.mlp": layer.mlp.down_proj for i, layer in enumerate(_language(model))}

    def pooled(_: Stimuli, units: Float[Tensor, "row position unit"]) -> Float[Tensor, "row unit"]:
        return units[:, 1:PREFIX].amax(1)

    found = _record(model, pictures, visual | language, pooled)
    return {Site(address, "visual"): values for address, values in found.items()}


def units_at_answer(
    model: LlavaForConditionalGeneration, questions: Iterable[Stimuli]
) -> dict[Site, Activations]:
    """Every language layer's units at the last position, where the answer is predicted."""
    language = {f"language.{i}.mlp": layer.mlp.down_proj for i, layer in enumerate(_language(model))}

    def last(batch: Stimuli, units: Float[Tensor, "row position unit"]) -> Float[Tensor, "row unit"]:
        return units[torch.arange(len(units), device=units.device), batch.last]

    found = _record(model, questions, language, last)
    return {Site(address, "last"): values for address, values in found.items()}


@contextmanager
def reading(modules: Mapping[str, nn.Module], keep: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Calls `keep(name, input)` whenever a module runs. Raises RuntimeError when one did not run in the meantime."""
    ran: set[str] = set()

    def hook(name: str) -> Callable[[nn.Module, Any], None]:
        def run(_: nn.Module, given: Any) -> None:
            ran.add(name)
            keep(name, given[0])

        return run

    with ExitStack() as hooks:
        for name, module in modules.items():
            hooks.callback(module.register_forward_pre_hook(hook(name)).remove)
        yield
    if missing := [name for name in modules if name not in ran]:
        raise RuntimeError(f"the hook at `{missing[0]}` did not fire: its module did not run")


def _record(
    model: LlavaForConditionalGeneration,
    stimuli: Iterable[Stimuli],
    modules: Mapping[str, nn.Module],
    pool: Callable[[Stimuli, Tensor], Tensor],
) -> dict[str, Activations]:
    rows: dict[str, list[Activations]] = {name: [] for name in modules}
    with torch.inference_mode():
        for batch in stimuli:

            def keep(name: str, units: Tensor, batch: Stimuli = batch) -> None:
                rows[name].append(pool(batch, units).float().cpu().numpy())

            with reading(modules, keep):
                decode(model, embedded(model, batch))
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def _vision(model: LlavaForConditionalGeneration) -> Any:
    return model.model.vision_tower.encoder.layers


def _language(model: LlavaForConditionalGeneration) -> Any:
    return model.model.language_model.layers
