"""The sampler's pairwise table: what comes with what, and how often, measured on scenes that it drew.

Knows how to count; the probabilities that were planted stand in sampler.py. A model card publishes this table as the
known truth for audits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from experiments.tableau.data import Split, scenes
from experiments.tableau.scene import BACKGROUNDS, COLORS, FILLS, SHAPES, SIZES
from tools.scoring.intervals import wilson

Share = dict[str, Any]
"""`{value, ci, n}`."""


class Case(NamedTuple):
    """One thing or scene: what is given in it, and what of all that could be comes with it."""

    given: str
    found: tuple[str, ...]


def pairwise(n: int, split: Split = "regular", seed: int = 0) -> dict[str, Any]:
    """Shares over the first `n` scenes of a split, as `{table: {given: {what: {value, ci, n}}}}`.

    An entry's `n` counts things, or scenes where the table's name ends in `_present`; one whose given never occurs
    is None. `overall` holds the shares with nothing given.
    """
    seen = list(scenes(split, n, seed))
    things = [thing for scene in seen for thing in scene.things]
    present = [(scene, shape) for scene in seen for shape in sorted({thing.shape for thing in scene.things})]
    return {
        "split": split,
        "scenes": n,
        "seed": seed,
        "color_given_shape": _table([Case(thing.shape, (thing.color,)) for thing in things], SHAPES, COLORS),
        "fill_given_shape": _table([Case(thing.shape, (thing.fill,)) for thing in things], SHAPES, FILLS),
        "size_given_shape": _table([Case(thing.shape, (thing.size,)) for thing in things], SHAPES, SIZES),
        "background_given_shape_present": _table(
            [Case(shape, (scene.background,)) for scene, shape in present], SHAPES, BACKGROUNDS
        ),
        "shape_given_shape_present": _table(
            [Case(shape, tuple({thing.shape for thing in scene.things})) for scene, shape in present],
            SHAPES,
            SHAPES,
        ),
        "overall": {
            "shape": _row([Case("", (thing.shape,)) for thing in things], SHAPES),
            "color": _row([Case("", (thing.color,)) for thing in things], COLORS),
            "background": _row([Case("", (scene.background,)) for scene in seen], BACKGROUNDS),
        },
    }


def _table(
    cases: Sequence[Case], givens: Iterable[str], whats: Iterable[str]
) -> dict[str, dict[str, Share | None]]:
    whats = tuple(whats)
    return {given: _row([case for case in cases if case.given == given], whats) for given in givens}


def _row(cases: Sequence[Case], whats: Iterable[str]) -> dict[str, Share | None]:
    """The share of the cases in which each thing is found."""
    times = Counter(what for case in cases for what in case.found)
    return {what: wilson(times[what], len(cases)).as_json() if cases else None for what in whats}
