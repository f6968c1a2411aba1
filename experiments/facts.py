"""What a run says in the end, in a form in which two runs can be compared.

Numbers of experiments differ from run to run, and so do seconds; everything else has to be the same. Knows records;
knows nothing about why a run is done twice.
"""

from __future__ import annotations

import math
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from store.database import Store
from store.schema import ExperimentRow

CLOSE = 1e-4
"""Difference of numbers that two runs may show."""
Spot = tuple[str, int, int]
"""Thread, step and call: how two runs know the same experiment, whose numbers differ."""
NUMBERED = ("evidence", "experiments", "experiment")
"""Fields that hold numbers of experiments."""
VARYING = frozenset({"seconds", "cost", "sha256"})
"""What two measurements of the same thing may differ in."""
_MARK = re.compile(r"\be(\d+)\b")


def evidence(store: Store, run: str) -> dict[int, tuple[Spot, str]]:
    """Every experiment of a run by its number: where it was made, and when it began."""
    found = store.queries.experiments(run, test=True)
    return {one.number: ((one.thread, one.step, one.call), one.started) for one in found}


def measured(store: Path) -> int:
    """Experiments in a store that somebody else is writing: asked without a lock, 0 where there is none yet."""
    if not store.is_file():
        return 0
    with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as glance:
        try:
            return int(glance.execute(f"SELECT count(*) FROM {ExperimentRow.__tablename__}").fetchone()[0])
        except sqlite3.OperationalError:  # no table yet, or just being made
            return 0


def facts(store: Store, run: str) -> dict[str, Any]:
    """What a run says in the end, without anything that may differ between two equal runs."""
    queries = store.queries
    made = queries.experiments(run, test=True)
    spots = {one.number: f"{one.thread}/{one.step}/{one.call}" for one in made}
    return {
        "experiments": {
            spots[one.number]: renumbered([one.tool, one.arguments, one.result], spots) for one in made
        },
        "descriptions": {
            one.component: renumbered(one.model_dump(mode="json"), spots)
            for one in queries.descriptions(run, test=True)
        },
        "hypotheses": {
            one.address: [
                [said.number, said.hypothesis.model_dump(mode="json")]
                + [renumbered(verdict.model_dump(mode="json"), spots) for verdict in said.verdicts]
                for said in queries.hypotheses(run, one.address)
            ]
            for one in queries.components(run)
        },
    }


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Places in which two values of the same shape are not the same, numbers within CLOSE."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = [name for name in {**one, **other} if name not in VARYING]
        return [
            line
            for name in names
            for line in (
                differences(one[name], other[name], f"{where}.{name}")
                if name in one and name in other
                else [f"{where}.{name}: only in one"]
            )
        ]
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for place, (a, b) in pairs for line in differences(a, b, f"{where}[{place}]")]
    if isinstance(one, float) and isinstance(other, float | int):
        same = math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)
    else:
        same = one == other
    return [] if same else [f"{where}: {str(one)[:80]} | {str(other)[:80]}"]


def renumbered(value: Any, spots: dict[int, str], field_name: str = "") -> Any:
    """The value with experiments called by their places instead of their numbers."""
    if isinstance(value, dict):
        return {name: renumbered(part, spots, name) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [renumbered(part, spots, field_name) for part in value]
    if isinstance(value, int) and field_name in NUMBERED:
        return spots.get(value, "?")
    if isinstance(value, str):
        return _MARK.sub(lambda mark: spots.get(int(mark[1]), "?"), value)
    return value
