"""One question asked of two targets: both answers, and where the two surely differ.

Knows answers and their rows; knows nothing about how either was found. Every number says of which target it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from agent.ask.answer import Answer, listed, told
from store.records import AnswerRow, Interval, Quantity

Differ = Literal["", "yes", "no"]


class Side(NamedTuple):
    """A target by its name, and what was found of it."""

    target: str
    answer: Answer


def beside(first: Side, second: Side) -> Answer:
    """Yes where the two verdicts differ, or the interval of a component on the one lies apart from that on the other;
    no where the verdicts agree and no interval does. Not known where neither is; open where one of them is."""
    rows = tuple(_of(side.target, row) for side in (first, second) for row in side.answer.rows)
    unknown = [side for side in (first, second) if not side.answer.text]
    reason = " ".join(f"On {side.target}: {side.answer.reason}" for side in unknown)
    names = (*first.answer.names, *second.answer.names, first.target, second.target)
    if len(unknown) == 2:
        return Answer("", reason, rows=rows, names=names)
    apart = list(_apart(first, second))
    verdict = _verdict(first.answer, second.answer, bool(apart))
    text = " ".join(
        [
            *_differing(first, second, apart),
            *(_told(side) for side in (first, second) if side.answer.text),
        ]
    )
    named = tuple(dict.fromkeys(one.component for one, _ in apart)) if not unknown else ()
    described = (*first.answer.described, *second.answer.described)
    return Answer(text, reason, verdict, named, rows, described, names=names)


def _verdict(first: Answer, second: Answer, apart: bool) -> Differ:
    if not first.text or not second.text:
        return ""
    if apart or (first.verdict and second.verdict and first.verdict != second.verdict):
        return "yes"
    return "no" if first.verdict and first.verdict == second.verdict else ""


def _apart(first: Side, second: Side) -> Iterator[tuple[AnswerRow, AnswerRow]]:
    """Rows of the same component and measure whose intervals do not meet."""
    for one in first.answer.rows:
        for other in second.answer.rows:
            same = (one.component, one.measure, one.unit) == (other.component, other.measure, other.unit)
            if same and one.ci and other.ci and not _meet(one.ci, other.ci):
                yield one, other


def _meet(one: Interval, other: Interval) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _differing(first: Side, second: Side, apart: list[tuple[AnswerRow, AnswerRow]]) -> Iterator[str]:
    if not apart:
        return
    one, other = apart[0]
    receipts = " ".join(f"[e{number}]" for number in dict.fromkeys((*one.evidence, *other.evidence)))
    components = listed(list(dict.fromkeys(row.component for row, _ in apart)))
    yield (
        f"They differ in {components}: of {one.component} the {one.measure} is {_number(one)} on {first.target}, and "
        f"{_number(other)} on {second.target} {receipts}."
    )


def _number(row: AnswerRow) -> str:
    return told(Quantity(value=row.value, unit=row.unit, ci=row.ci, n=row.n))


def _told(side: Side) -> str:
    """Its answer, opened by its name."""
    return f"On {side.target}: {side.answer.text}"


def _of(target: str, row: AnswerRow) -> AnswerRow:
    return row.model_copy(update={"target": target})
