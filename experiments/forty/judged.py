"""The judgement: an answer beside the right one, by what the finding says in fields; and its text beside its receipts.

Right, wrong or not known, with the reason. Pure functions of a finding, what it cost and its case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from experiments.bench.matching import match
from experiments.forty.table import Case
from store.records import Description, Experiment, Finding

Mark = Literal["right", "wrong", "not known"]
_MARK = re.compile(r"\[e(\d+)\]")
_DECIMAL = re.compile(r"(?<![\w.])-?\d+\.\d+(?![\w.]*\w)")


@dataclass(frozen=True)
class Said:
    """What came of a question: a finding, or the refusal in its place. `made` and `forwards` are what was measured for
    it, `descriptions` those that it names."""

    finding: Finding | None = None
    refusal: str = ""
    made: int = 0
    forwards: int = 0
    descriptions: tuple[Description, ...] = ()
    experiments: Mapping[int, Experiment] | None = None


def judged(case: Case, said: Said) -> tuple[Mark, str]:
    """`case` has addresses in the place of names by now."""
    finding = said.finding
    if finding is None:
        return ("right", "") if case.right == "refused" else ("wrong", f"refused: {said.refusal}")
    if case.right == "refused":
        return "wrong", "answered what can't be asked"
    if finding.kind != case.kind:
        return "wrong", f"understood as `{finding.kind}`"
    if problem := next(unfounded(finding, said.experiments or {}), ""):
        return "wrong", problem
    if case.again and (said.made or said.forwards):
        return "wrong", f"measured {said.made} experiments that the store had"
    if finding.status == "unknown":
        return ("right", "") if case.right == "unknown" else ("not known", finding.reason)
    if case.right == "unknown":
        return "wrong", "answered what nobody can know"
    return _answered(case, finding, said.descriptions)


def _answered(case: Case, finding: Finding, descriptions: Iterable[Description]) -> tuple[Mark, str]:
    if case.right in ("yes", "no") and finding.verdict != case.right:
        return ("wrong" if finding.verdict else "not known"), f"said `{finding.verdict or 'neither'}`"
    if missing := set(case.named) - set(finding.named):
        return "wrong", f"does not name {', '.join(sorted(missing))}"
    if case.only and (more := set(finding.named) - set(case.only)):
        return "wrong", f"names {', '.join(sorted(more))} as well"
    if case.concept and not any(match(one.concept, case.concept).exact for one in descriptions):
        return "wrong", f"describes it as {', '.join(one.concept or 'nothing' for one in descriptions)}"
    return "right", ""


def unfounded(finding: Finding, experiments: Mapping[int, Experiment]) -> Iterator[str]:
    """Receipts that are not there, rows without one, and decimal numbers that no receipt of their sentence holds;
    a refusal that stands in the place of an answer has none."""
    if lost := [number for number in finding.evidence if number not in experiments]:
        yield f"cites [e{lost[0]}], which is not recorded"
    if bare := [row.component for row in finding.rows if not row.evidence]:
        yield f"the row of {bare[0]} has no receipt"
    for sentence in re.split(r"(?<=\])\.\s", finding.answer or finding.reason):
        marks = [int(number) for number in _MARK.findall(sentence)]
        if not marks and not finding.answer:
            continue  # a tool refused to measure, and its refusal is no result
        known = [
            value for number in marks if number in experiments for value in _numbers(experiments[number])
        ]
        for word in _DECIMAL.findall(sentence):
            places = len(word.partition(".")[2])
            if not any(abs(abs(value) - abs(float(word))) <= 0.51 * 10.0**-places for value in known):
                yield f"{word} stands in no receipt of: {sentence}"


def _numbers(experiment: Experiment) -> list[float]:
    return list(_all(experiment.result)) + list(_all(experiment.arguments))


def _all(part: Any) -> Iterator[float]:
    if isinstance(part, bool):
        return
    if isinstance(part, int | float):
        yield float(part)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _all(inner)
