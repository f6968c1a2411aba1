"""The search for phrases that fit untrained units: what any description must beat before it says that something was
learned.

Each copy of the target runs once, for all places. Looks for single phrases by class, and for two joined (joined.py).
Knows copies, sides and classes; knows nothing of files, nor of any component that is being described.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from math import ceil
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from experiments.scoring.copies import FIRST_SEED, untrained_copy
from experiments.scoring.joined import Pairs, all_pairs, best_joined
from experiments.scoring.judged import Judged
from store.address import Address
from store.records import Reading, Scope, Sign
from tools.activations import ActivationSource
from tools.pools import side
from tools.scoring.presence import Presence
from tools.scoring.selectivity import selectivity
from tools.targets.target import Target

UNITS = 200
"""Untrained units that a null needs at least."""
COPIES = 4
"""Untrained models at least: units of one model resemble each other."""


class Fits(NamedTuple):
    """How phrases fit untrained units of one copy at one place.

    `rho` is of each unit's best phrase in each class, on the half that did not choose it; `best` is the class in which
    the best phrase of all lies. `combined` is the same ρ of each unit's best two phrases joined, of each kind of pair
    (joined.py), `strength` that for which they were chosen, both 0 where no pair fits; `gains` says whether the best
    of them was chosen before any phrase alone.
    """

    rho: Float[np.ndarray, "class unit"]
    best: Int[np.ndarray, "unit"]
    combined: Float[np.ndarray, "kind unit"]
    strength: Float[np.ndarray, "kind unit"]
    gains: Bool[np.ndarray, "unit"]


class Peers(NamedTuple):
    """The components that compete at one place, and the tokens at which they do."""

    units: tuple[Address, ...]
    scope: Scope


def search(
    target: Target,
    peers: Mapping[str, Peers],
    judged: Judged,
    presence: Presence,
    half: Bool[np.ndarray, "stimulus"],
    read: Callable[[Target], ActivationSource],
    say: Callable[[str], None],
) -> dict[str, list[Fits]]:
    """For each place, copy by copy, how phrases fit its untrained units.

    As many copies run as the smallest place needs for UNITS. The first len(half) of the judge's stimuli are shown. A
    place without values at its tokens gives [].
    """
    copies = max(COPIES, *(ceil(UNITS / len(place.units)) for place in peers.values()))
    sample = {name: _spread(place.units, ceil(UNITS / COPIES)) for name, place in peers.items()}
    components = list(dict.fromkeys(chain.from_iterable(sample.values())))
    column = {component: index for index, component in enumerate(components)}
    found: dict[str, list[Fits]] = {name: [] for name in peers}
    pairs = all_pairs(presence, half)
    for number in range(copies):
        say(f"untrained copy {number + 1} of {copies} on {len(half)} pictures")
        source = read(untrained_copy(target, FIRST_SEED + number))
        pooled = _pooled(source, components, judged, len(half))
        for name, (_, scope) in peers.items():
            own = pooled[:, :, [column[unit] for unit in sample[name]]]
            if np.isfinite(side(own, Reading(scope=scope))).all():
                found[name].append(fits(own, scope, presence, pairs))
    return found


def fits(
    pooled: Float32[np.ndarray, "pool stimulus unit"],
    scope: Scope,
    presence: Presence,
    pairs: Pairs,
) -> Fits:
    """The stimuli that choose among pairs choose phrase and side too.

    A planner may describe either side of a unit, so the search looks at both and takes the one that fits better.
    """
    signs: tuple[Sign, ...] = ("+",) if scope == "answer" else ("+", "-")
    sides = [side(pooled, Reading(sign=sign, scope=scope)) for sign in signs]
    found = [selectivity(values, presence, pairs.half) for values in sides]
    chosen, rho = _stronger(
        np.stack([one.chosen_of_class for one in found]), np.stack([one.rho_of_class for one in found])
    )
    alive = np.stack([~one.dead for one in found])[:, None]
    two = [best_joined(values, pairs) for values in sides]
    strength, combined = _stronger(
        np.stack([one.strength for one in two]) * alive, np.stack([one.rho for one in two]) * alive
    )
    gains = strength.max(axis=0) > chosen.max(axis=0)
    return Fits(rho, chosen.argmax(axis=0), combined, strength, gains)


def _stronger(
    strength: Float[np.ndarray, "side row unit"], rho: Float[np.ndarray, "side row unit"]
) -> tuple[Float[np.ndarray, "row unit"], Float[np.ndarray, "row unit"]]:
    """Strength and ρ on the side that was chosen for its strength."""
    taken = strength.argmax(axis=0)[None]
    return np.take_along_axis(strength, taken, axis=0)[0], np.take_along_axis(rho, taken, axis=0)[0]


def _pooled(
    source: ActivationSource, components: Sequence[Address], judged: Judged, shown: int
) -> Float32[np.ndarray, "pool stimulus component"]:
    blocks, seen = [], 0
    for stimuli in judged.stimuli:
        blocks.append(source.pooled(components, stimuli[: shown - seen]))
        seen += len(stimuli)
        if seen >= shown:
            break
    return np.concatenate(blocks, axis=1)


def _spread(units: Sequence[Address], most: int) -> list[Address]:
    """At most so many of them, evenly."""
    chosen = np.unique(np.linspace(0, len(units) - 1, min(most, len(units))).round().astype(int))
    return [units[index] for index in chosen]
