"""Whether pairs that a model edits show the same head effects as pairs that are painted exactly.

Both kinds of pairs are made of the same questions by the same rule; for every kind of question the ranking of heads
under the one is held against that under the other, beside how far the exact one agrees with itself (split halves) and
with the rankings of other kinds of question (the control). Knows items and effects; knows no editor by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from experiments.reproduce.effects import Effects, head_effects, interval, reliability, resamples
from experiments.reproduce.items import items_of
from experiments.reproduce.measured import couples_of
from experiments.reproduce.setting import editor_of, heads_of
from store.values import Estimate
from tools.methods.attention import spearman

if TYPE_CHECKING:
    from tools.context import ToolContext

BAR = 0.8
"""Share of the exact pairs' own reliability that the agreement is to reach."""
DRAWS = 400
Say = Callable[[str], None]


class Beside(NamedTuple):
    """Effects of all heads on one kind of question, by pairs of either editor."""

    exact: Effects
    edited: Effects


def two_editors(
    exact: ToolContext,
    edited: ToolContext,
    kinds: Sequence[str],
    n: int,
    among: str = "",
    say: Say = lambda _: None,
) -> dict[str, Beside]:
    """Both contexts have the same target and pictures, and each its own editor. Raises UserError as `items_of`."""
    found = {}
    heads = heads_of(exact, among)
    for kind in kinds:
        sides = []
        for context in (exact, edited):
            items = items_of(context, editor_of(context), kind, n, "notice", words=False)
            sides.append(head_effects(context, couples_of(items, "SIP", 0.0, 0), heads))
        found[kind] = Beside(*sides)
        say(f"{kind}: {len(sides[0].gaps)} painted pairs, {len(sides[1].gaps)} edited ones")
    return found


def as_json(found: Mapping[str, Beside], about: dict[str, Any], seed: int = 0) -> dict[str, Any]:
    """By kind and over all: rank correlation of the two, the exact pairs' reliability, and the ratio. The control is
    the mean correlation of edited pairs of a kind with exact pairs of the other kinds."""
    kinds: dict[str, dict[str, Any]] = {}
    for kind, both in found.items():
        agreed, trusted = _agreement(both, seed), reliability(both.exact, seed)
        others = [spearman(both.edited.shares, found[other].exact.shares) for other in found if other != kind]
        kinds[kind] = {
            "pairs": {"exact": len(both.exact.gaps), "edited": len(both.edited.gaps)},
            "gap": {name: side.gap(seed).as_json() for name, side in both._asdict().items()},
            "correlation": agreed.as_json(),
            "reliability": trusted.as_json(),
            "reliability_of_edited": reliability(both.edited, seed).as_json(),
            "ratio": round(agreed.value / trusted.value, 4) if trusted.value > 0 else None,
            "other_kinds": round(float(np.mean(others)), 4) if others else None,
        }
    mean, trust = (
        float(np.mean([one[name]["value"] for one in kinds.values()]))
        for name in ("correlation", "reliability")
    )
    ratio = mean / trust
    verdict = "reach" if ratio >= BAR else "do not reach"
    return about | {
        "kinds": kinds,
        "correlation": round(mean, 4),
        "reliability": round(trust, 4),
        "ratio": round(ratio, 4),
        "bar": BAR,
        "finding": f"Head effects by edited pairs correlate {mean:.2f} with those by painted pairs, {ratio:.2f} of "
        f"what painted pairs reach with themselves ({trust:.2f}): they {verdict} the bar of {BAR}",
    }


def _agreement(both: Beside, seed: int) -> Estimate:
    """Rank correlation over heads, both sets of pairs resampled on their own."""
    drawn = [
        spearman(*pair)
        for pair in zip(
            both.exact.drawn(resamples(len(both.exact.gaps), seed, draws=DRAWS)),
            both.edited.drawn(resamples(len(both.edited.gaps), seed + 1, draws=DRAWS)),
            strict=True,
        )
    ]
    value = spearman(both.exact.shares, both.edited.shares)
    return interval(np.array(drawn), value, min(len(both.exact.gaps), len(both.edited.gaps)))
