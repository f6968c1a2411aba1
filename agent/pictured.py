"""Pictures of an experiment's result, as a language model can name them: by the first digits of their hashes.

Knows the forms in which tools give pictures: exemplars, both sides of pairs, single ones. Knows no pixels; what is
worth a look is for the planner to say (tools/methods/look.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from store.records import Experiment
from tools.methods.look import DIGITS

MOST = 32
"""Pictures of one result that are named."""
SINGLE = ("picture", "before")
LOOK = "look"


def named(experiment: Experiment) -> list[str]:
    """Each picture in a few words, after its name."""
    result = experiment.result
    lines = [*_exemplars(result), *_pairs(result), *_single(result)]
    return lines[:MOST]


def asked_for(experiment: Experiment) -> list[tuple[str, str]]:
    """What a look was for: hash and words of every picture."""
    if experiment.tool != LOOK:
        return []
    return [(str(row["image"]), str(row.get("words", ""))) for row in _rows(experiment.result, "exemplars")]


def _exemplars(result: Mapping[str, Any]) -> Iterator[str]:
    for row in _rows(result, "exemplars"):
        yield _line(row, str(row.get("tail") or "picture"))


def _pairs(result: Mapping[str, Any]) -> Iterator[str]:
    for row in _rows(result, "pairs"):
        for side in ("without", "with"):
            value = row.get(f"a_{side}")
            told = f"{row.get(side, '')[:DIGITS]}: {side} {row.get('concept', '')}{_value(value)}"
            if heat := row.get(f"{side}_overlay"):
                told += f", heat map {heat[:DIGITS]}"
            yield told


def _single(result: Mapping[str, Any]) -> Iterator[str]:
    for name in SINGLE:
        row = result.get(name)
        if isinstance(row, Mapping) and row.get("image"):
            yield _line(row, name)


def _line(row: Mapping[str, Any], what: str) -> str:
    told = f"{row['image'][:DIGITS]}: {what} {row.get('key', '')}{_value(row.get('value'))}"
    if question := row.get("question"):
        told += f", asked “{question}”"
    if heat := row.get("overlay"):
        told += f", heat map {heat[:DIGITS]}"
    return told


def _value(value: Any) -> str:
    return f" at {value:.3g}" if isinstance(value, int | float) else ""


def _rows(result: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = result.get(name)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
