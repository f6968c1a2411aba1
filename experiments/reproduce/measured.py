"""One kind of question under every corruption: what each head restores, and how the target itself fares.

Knows items and corruptions; the noise's strength is given. Knows nothing about other kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.reproduce.effects import (
    LEAST_GAP,
    Couple,
    Effects,
    agreement,
    answer_tokens,
    by_chance,
    head_effects,
    interval,
    margins,
    reliability,
    resamples,
)
from experiments.reproduce.items import Corruption, Items
from store.address import Address
from store.values import Estimate

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.engine.engine import Engine

CORRUPTIONS: tuple[Corruption, ...] = ("SIP", "STR", "GN")
COPIED: tuple[Corruption, ...] = ("SIP", "STR")
"""Corruptions on which a never-trained copy is asked as well."""


@dataclass(frozen=True, eq=False)
class Measured:
    """`effects` has the corruptions that the kind allows; `untrained` a never-trained copy's gaps on the same pairs."""

    items: Items
    heads: tuple[Address, ...]
    effects: dict[Corruption, Effects]
    untrained: dict[Corruption, Estimate]
    seed: int

    def sound(self, corruption: Corruption) -> bool:
        """Whether the target tells the two sides apart, so that shares of the gap mean something."""
        return corruption in self.effects and self.effects[corruption].gap(self.seed).low > LEAST_GAP

    def beyond_chance(self, corruption: Corruption, sign: int) -> np.ndarray:
        """[head] whether its share lies on this side of 0 beyond what tossed sides give any head."""
        if not self.sound(corruption):
            return np.zeros(len(self.heads), dtype=bool)
        found = self.effects[corruption]
        return np.asarray(sign * found.shares > by_chance(found, self.seed))

    def as_json(self) -> dict[str, Any]:
        items = self.items
        return {
            "n": len(items.items),
            "tried": items.tried,
            "without_edit": items.refused,
            "without_word": items.wordless,
            "pixels_changed": items.changed,
            "corruptions": {name: self._of(name) for name in self.effects},
            "agreement": {
                f"{one} {other}": agreement(*self._over_all(one, other), self.seed).as_json()
                for one, other in combinations(self.effects, 2)
                if self.sound(one) and self.sound(other)
            },
        }

    def _over_all(self, one: Corruption, other: Corruption) -> tuple[Effects, Effects]:
        """Both on the items that both have."""
        both = [self.effects[name] for name in (one, other)]
        if "STR" not in (one, other) or len(both[0].gaps) == len(both[1].gaps):
            return both[0], both[1]
        places = [place for place, item in enumerate(self.items.items) if item.text is not None]
        first, second = (
            found if name == "STR" else found.of(places)
            for name, found in zip((one, other), both, strict=True)
        )
        return first, second

    def _of(self, name: Corruption) -> dict[str, Any]:
        found = self.effects[name]
        told: dict[str, Any] = {
            "n": len(found.gaps),
            "gap": found.gap(self.seed).as_json(),
            "right": {
                "clean": round(float((found.clean > 0).mean()), 4),
                "corrupt": round(float((found.corrupt > 0).mean()), 4),
            },
        }
        if name in self.untrained:
            told["untrained_gap"] = self.untrained[name].as_json()
        if self.sound(name):
            drawn = found.drawn(resamples(len(found.gaps), self.seed))
            told["chance"] = round(by_chance(found, self.seed), 6)
            told["reliability"] = reliability(found, self.seed).as_json()
            told["shares"] = {
                str(head): interval(column, float(value), len(found.gaps)).as_json()
                for head, column, value in zip(self.heads, drawn.T, found.shares, strict=True)
            }
        return told


def measured(
    context: ToolContext,
    items: Items,
    heads: Sequence[Address],
    strength: float,
    seed: int,
    untrained: Engine | None = None,
) -> Measured:
    """Every head under every corruption. A word of the question reaches no vision head: there its effect is 0."""
    effects: dict[Corruption, Effects] = {}
    copies: dict[Corruption, Estimate] = {}
    for name in CORRUPTIONS:
        couples = couples_of(items, name, strength, seed)
        if len(couples) < 2:
            continue
        reached = [name != "STR" or head.tower == "language" for head in heads]
        part = head_effects(
            context, couples, [head for head, does in zip(heads, reached, strict=True) if does]
        )
        restored = np.zeros((len(heads), len(couples)))
        restored[reached] = part.restored
        effects[name] = part._replace(restored=restored)
        if untrained is not None and name in COPIED:
            copies[name] = margins(untrained, couples, answer_tokens(context, couples)).gap(seed)
    return Measured(items, tuple(heads), effects, copies, seed)


def couples_of(items: Items, name: Corruption, strength: float, seed: int) -> list[Couple]:
    """Each item beside its corrupt side; those that have none are left out."""
    found = []
    for number, item in enumerate(items.items):
        if (side := item.corrupt(name, strength, seed + number)) is not None:
            found.append(Couple(item.clean, side[0], (item.clean.answer, side[1])))
    return found
