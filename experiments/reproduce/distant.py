"""How far each corruption leads away from the data, over all kinds: edited pictures beside noise and other words.

Knows items; distances are the tools' (manifold.py). Each kind has reference runs of its own, as many as it has items:
other questions of that kind about other pictures. What untouched items reach is the control.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.reproduce.items import Items
from experiments.reproduce.measured import CORRUPTIONS, couples_of
from tools.methods.manifold import REFERENCE, SCOPES, Distances, Scope, Spot, apart, joined, over, spots
from tools.scoring.intervals import bootstrap_mean

if TYPE_CHECKING:
    from tools.context import ToolContext

UNTOUCHED = "untouched"


def distant(context: ToolContext, kinds: Sequence[Items], strength: float, seed: int) -> dict[str, Any]:
    """Both distances by scope and corruption, over items; GN − SIP on the same items; the mean |z| by layer."""
    where = spots(context.extent)
    found: dict[str, list[Distances]] = {}
    for items in kinds:
        runs = {UNTOUCHED: [item.clean for item in items.items]}
        runs |= {
            name: [couple.corrupt for couple in couples_of(items, name, strength, seed)]
            for name in CORRUPTIONS
        }
        for name, part in apart(context, items.kind, len(items.items), runs, where).items():
            found.setdefault(name, []).append(part)
    told = {name: joined(parts) for name, parts in found.items()}
    return {
        "reference": {items.kind: max(REFERENCE, len(items.items)) for items in kinds},
        "scopes": {scope: _scope(told, where, scope, seed) for scope in SCOPES},
        "layers": {
            str(spot): {name: round(float(one.norm[place].mean()), 4) for name, one in told.items()}
            for place, spot in enumerate(where)
        },
    }


def _scope(
    told: dict[str, Distances], where: Sequence[Spot], scope: Scope, seed: int
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for measure in Distances._fields:
        values = {name: over(getattr(one, measure), where, scope) for name, one in told.items()}
        found[measure] = {name: bootstrap_mean(one, seed=seed).as_json() for name, one in values.items()}
        found[measure]["GN − SIP"] = bootstrap_mean(values["GN"] - values["SIP"], seed=seed).as_json()
    return found
