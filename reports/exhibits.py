"""Pictures in a tool's result: exemplars with heat maps, and pairs before and after.

Knows the shapes in which tools give them (see shapes.py); knows nothing about files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reports.fields import is_simple, number_of, rows_of, text_of
from reports.shapes import DRAWN, artifacts, reading
from store.records import Experiment, Reading

TAILS = ("top", "neighbour", "quantile", "zero", "bottom")
"""Why an exemplar is shown, in the order in which they are."""


@dataclass(frozen=True)
class Exemplar:
    """A stimulus with the component's value on it; `image` and `overlay` are content hashes, either may be empty."""

    key: str
    value: float | None
    image: str
    overlay: str
    tail: str
    words: str = ""


@dataclass(frozen=True)
class Edited:
    """A pair, without and with the concept, and whatever else was measured on it."""

    concept: str
    before: Exemplar
    after: Exemplar
    changed: str
    more: Mapping[str, Any]
    given: str = ""
    """The concept that holds on both sides."""

    @property
    def change(self) -> float | None:
        if self.after.value is None or self.before.value is None:
            return None
        return self.after.value - self.before.value


def exemplars(result: Mapping[str, Any]) -> dict[str, list[Exemplar]]:
    """Exemplars by tail, in the order in which tails are shown; then single pictures under their field's name."""
    found: dict[str, list[Exemplar]] = {tail: [] for tail in TAILS}
    for row in rows_of(result.get("exemplars")):
        tail = text_of(row, "tail") or "top"
        found.setdefault(tail, []).append(_exemplar(row, tail))
    for name, told in result.items():
        if isinstance(told, Mapping) and told.get("image") and name not in DRAWN:
            found.setdefault(name, []).append(_exemplar(told, name))
    return {tail: shown for tail, shown in found.items() if shown}


def pairs(result: Mapping[str, Any]) -> list[Edited]:
    """Pairs of a result, under the concept that they or the whole result name."""
    return [
        _edited(row, text_of(row, "concept") or text_of(result, "concept"), text_of(result, "given"))
        for row in rows_of(result.get("pairs"))
    ]


def others(result: Mapping[str, Any]) -> dict[str, str]:
    """Artifacts that are not shown as an exemplar or in a pair."""
    shown = [one for tail in exemplars(result).values() for one in tail]
    shown += [side for pair in pairs(result) for side in (pair.before, pair.after)]
    known = {sha for one in shown for sha in (one.image, one.overlay)}
    return {name: sha for name, sha in artifacts(result).items() if sha not in known}


def strip(experiments: Iterable[Experiment], side: Reading | None, most: int) -> list[Exemplar]:
    """The strongest exemplars under the described reading: what a reader wants to see before all else."""
    described = sorted(experiments, key=lambda one: bool(side) and reading(one.result) != side)
    for experiment in described:
        found = exemplars(experiment.result).get("top", [])
        if pictured := [one for one in found if one.overlay or one.image]:
            return pictured[:most]
    return []


def _exemplar(row: Mapping[str, Any], tail: str) -> Exemplar:
    words = " ".join(filter(None, (text_of(row, "question"), text_of(row, "caption"))))
    image, overlay = text_of(row, "image"), text_of(row, "overlay")
    return Exemplar(text_of(row, "key"), number_of(row.get("value")), image, overlay, tail, words)


def _edited(row: Mapping[str, Any], concept: str, given: str) -> Edited:
    with_ = "with" if "with" in row else "with_"
    before, after = (
        Exemplar(
            text_of(row, f"{name}_key"),
            number_of(row.get(f"a_{name}")),
            text_of(row, side),
            text_of(row, f"{name}_overlay"),
            name,
        )
        for name, side in (("without", "without"), ("with", with_))
    )
    sides = ("without", "with")
    said = {"concept", "changed", "with_", *sides}
    said |= {name for side in sides for name in (f"{side}_key", f"{side}_overlay", f"a_{side}")}
    more = {
        name: told
        for name, told in row.items()
        if name not in said and told not in (None, "", []) and is_simple(told)
    }
    return Edited(concept, before, after, text_of(row, "changed"), more, given)
