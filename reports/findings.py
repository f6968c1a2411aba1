"""Findings as a reader meets them: the answer, its numbers drawn group by group, and the experiments behind them.

Knows rows of an answer, and which of them share an axis: those of one measure and one unit. Knows nothing about what
was asked.
"""

from __future__ import annotations

from typing import NamedTuple

from reports.numbers import estimate
from reports.plots import Measured
from reports.record import RunRecord, Thread
from store.records import AnswerRow, Experiment, Finding
from store.views import Found

WHETHER = ("used", "needed", "free")
"""Kinds of questions that ask whether something is so: their verdict is said before the words."""
FIRST = 12
"""Rows of a drawing; all stand in the table."""


class Group(NamedTuple):
    """Rows that share an axis, as a forest takes them: name, note, what is drawn, its words, those of its control."""

    measure: str
    unit: str
    rows: tuple[tuple[str, str, Measured, str, str], ...]


def groups(finding: Finding) -> list[Group]:
    """By measure and unit, in the order of the answer."""
    found: dict[tuple[str, str], list[AnswerRow]] = {}
    for row in finding.rows:
        found.setdefault((row.measure, row.unit), []).append(row)
    return [
        Group(measure, unit, tuple(_drawn(row) for row in rows[:FIRST]))
        for (measure, unit), rows in found.items()
    ]


def page_of(found: Found) -> str:
    """Where its page lies, beside the index."""
    return f"finding-{found.number}.html"


def behind(record: RunRecord, found: Found) -> Thread:
    """The experiments of a finding as one thread: those of its run that it leans on, then those measured elsewhere."""
    own, elsewhere = list[Experiment](), list[Experiment]()
    for experiment in record.cited.get(found.number, ()):
        (own if experiment.run == found.run else elsewhere).append(experiment)
    return Thread("question", "", "", None, (), (), tuple(own), (), tuple(elsewhere))


def _drawn(row: AnswerRow) -> tuple[str, str, Measured, str, str]:
    sample = f"n = {row.n:,}" if row.n is not None else ""
    control = f"control {estimate(row.control, row.control_ci)}" if row.control is not None else ""
    return (
        f"{row.component} on {row.target}" if row.target else row.component,
        ", ".join(filter(None, (row.told, sample))),
        Measured(row.value, row.ci, row.control, row.control_ci),
        estimate(row.value, row.ci),
        control,
    )
