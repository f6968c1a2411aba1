"""Where words stand in the record: one statement for each kind of place, with the columns of a hit.

Knows which texts are searched; all words must stand in one of them, in any order, whatever their (ASCII) case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, null, select

from store.schema import DescriptionRow, ExperimentRow, FindingRow, HypothesisRow, RunRow


def statements(words: Sequence[str], fingerprint: str | None) -> list[Select[*tuple[Any, ...]]]:
    """Of descriptions, findings, hypotheses, and experiments outside the test: kind, run, thread, number, text."""
    described = DescriptionRow.label + ": " + DescriptionRow.text
    measured = ExperimentRow.tool + ": " + ExperimentRow.summary
    found: list[Select[*tuple[Any, ...]]] = [
        select(literal("description"), DescriptionRow.run, DescriptionRow.component, null(), described)
        .join(RunRow, DescriptionRow.run == RunRow.id)
        .where(_all_in(words, DescriptionRow.component + " " + described))
        .order_by(DescriptionRow.frozen.desc(), DescriptionRow.component),
        select(literal("finding"), FindingRow.run, literal("question"), FindingRow.number, FindingRow.claim)
        .join(RunRow, FindingRow.run == RunRow.id)
        .where(_all_in(words, FindingRow.topic + " " + FindingRow.claim))
        .order_by(RunRow.started.desc(), FindingRow.number),
        select(
            literal("hypothesis"),
            HypothesisRow.run,
            HypothesisRow.thread,
            HypothesisRow.number,
            HypothesisRow.statement,
        )
        .join(RunRow, HypothesisRow.run == RunRow.id)
        .where(_all_in(words, HypothesisRow.thread + " " + HypothesisRow.statement))
        .order_by(RunRow.started.desc(), HypothesisRow.thread, HypothesisRow.number),
        select(literal("experiment"), ExperimentRow.run, ExperimentRow.thread, ExperimentRow.number, measured)
        .join(RunRow, ExperimentRow.run == RunRow.id)
        .where(ExperimentRow.split != "test", _all_in(words, ExperimentRow.thread + " " + measured))
        .order_by(ExperimentRow.number.desc()),
    ]
    if fingerprint is None:
        return found
    return [statement.where(RunRow.fingerprint == fingerprint) for statement in found]


def _all_in(words: Sequence[str], text: ColumnElement[str]) -> ColumnElement[bool]:
    return and_(*(func.lower(text).contains(word.lower(), autoescape=True) for word in words))
