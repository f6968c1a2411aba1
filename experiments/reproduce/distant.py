"""How far each corruption leads away from the data, over all kinds: edited pictures beside noise and other words.

Knows items and distances (manifold.py). Each kind has reference runs of its own: other questions of that kind about
other pictures. What untouched items reach is the control.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from experiments.reproduce.items import Items
from experiments.reproduce.manifold import Distances, Spot, distances, spots, traces
from experiments.reproduce.measured import CORRUPTIONS, couples_of
from tools.scoring.intervals import bootstrap_mean
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from tools.context import ToolContext

UNTOUCHED = "untouched"
REFERENCE = 16
"""Fewest untouched runs of each kind that make the reference; as many as items where these are more."""
SCOPES = ("picture", "words")


def distant(context: ToolContext, kinds: Sequence[Items], strength: float, seed: int) -> dict[str, Any]:
    """Both distances by scope and corruption, over items; GN − SIP on the same items; the mean |z| by layer."""
    where = spots(context.extent)
    found: dict[str, list[Distances]] = {}
    for items in kinds:
        size = max(REFERENCE, len(items.items))
        reference = traces(context.engine, _reference(context, items.kind, size), where)
        runs = {UNTOUCHED: [item.clean for item in items.items]}
        runs |= {
            name: [couple.corrupt for couple in couples_of(items, name, strength, seed)]
            for name in CORRUPTIONS
        }
        for name, stimuli in runs.items():
            if stimuli:
                found.setdefault(name, []).append(
                    distances(reference, traces(context.engine, stimuli, where))
                )
    told = {name: _joined(parts) for name, parts in found.items()}
    return {
        "reference": {items.kind: max(REFERENCE, len(items.items)) for items in kinds},
        "scopes": {scope: _scope(told, where, scope, seed) for scope in SCOPES},
        "layers": {
            str(spot): {name: round(float(one.norm[place].mean()), 4) for name, one in told.items()}
            for place, spot in enumerate(where)
        },
    }


def _reference(context: ToolContext, kind: str, n: int) -> list[Stimulus]:
    return context.images.ask(kind, n, 1000 + context.derived_seed("reference", kind) % 2**16)


def _joined(parts: Sequence[Distances]) -> Distances:
    return Distances(*(np.concatenate(column, axis=1) for column in zip(*parts, strict=True)))


def _scope(
    told: dict[str, Distances], where: Sequence[Spot], scope: str, seed: int
) -> dict[str, dict[str, Any]]:
    places = [place for place, spot in enumerate(where) if spot.scope == scope]
    found: dict[str, dict[str, Any]] = {}
    for measure in Distances._fields:
        values = {name: _mean(getattr(one, measure), places) for name, one in told.items()}
        found[measure] = {name: bootstrap_mean(one, seed=seed).as_json() for name, one in values.items()}
        found[measure]["GN − SIP"] = bootstrap_mean(values["GN"] - values["SIP"], seed=seed).as_json()
    return found


def _mean(table: Float[np.ndarray, "spot stimulus"], places: Sequence[int]) -> Float[np.ndarray, "stimulus"]:
    return np.asarray(table[list(places)].mean(axis=0))
