"""What the record refuses: claims without receipts, frozen texts that change, tests that come too early.

Each function looks at what is already recorded and raises RuntimeError when a rule would break: whoever wrote that has
a bug. Knows rows and records; knows nothing about transactions or who asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.records import Description, Finding, Score, Verdict
from store.schema import (
    CitationRow,
    DescriptionRow,
    ExperimentRow,
    FindingRow,
    HypothesisRow,
    RunRow,
    ScoreRow,
    TargetRow,
    VerdictRow,
)

_CITATION = re.compile(r"\[\s*e\d+(?:\s*[,;]\s*e\d+)*\s*\]")
_NOT_WORDS = {"seconds", "cost"}
"""What may differ when a resumed run freezes the same description again."""


def known_run(session: Session, run: str) -> RunRow:
    row = session.get(RunRow, run)
    if row is None:
        raise RuntimeError(f"no run `{run}` is recorded")
    return row


def known_target(session: Session, fingerprint: str) -> None:
    if session.get(TargetRow, fingerprint) is None:
        raise RuntimeError(f"no target with the fingerprint `{fingerprint}` is recorded: call `target` first")


def same_target(session: Session, run: str, fingerprint: str) -> None:
    """Results of different fingerprints never mix."""
    expected = known_run(session, run).fingerprint
    if fingerprint != expected:
        raise RuntimeError(f"run `{run}` studies the target `{expected}`, not `{fingerprint}`")


def same_call(stored: ExperimentRow, new: ExperimentRow) -> None:
    if (stored.tool, stored.arguments) != (new.tool, new.arguments):
        raise RuntimeError(
            f"call {new.call} of step {new.step} in `{new.thread}` of run `{new.run}` is [e{stored.number}], "
            f"`{stored.tool}` with {stored.arguments}; it can't be `{new.tool}` with {new.arguments} as well"
        )


def known_hypothesis(session: Session, run: str, thread: str, number: int, verdict: Verdict) -> None:
    if verdict.hypothesis != number:
        raise RuntimeError(f"a verdict on hypothesis {verdict.hypothesis} can't be recorded under {number}")
    if session.get(HypothesisRow, (run, thread, number)) is None:
        raise RuntimeError(f"run `{run}` has no hypothesis {number} in thread `{thread}`")


def verdicts_on(session: Session, run: str, thread: str, number: int) -> list[VerdictRow]:
    """Oldest first."""
    chosen = select(VerdictRow).filter_by(run=run, thread=thread, hypothesis=number)
    return list(session.scalars(chosen.order_by(VerdictRow.position)))


def cited_in(text: str) -> list[int]:
    """The experiments that a text cites as `[e12]` or `[e12, e14]`, each once, in order."""
    marks = "".join(_CITATION.findall(text))
    return list(dict.fromkeys(int(number) for number in re.findall(r"\d+", marks)))


def citations(description: Description) -> dict[str, list[int]]:
    """Every place of a description that leans on experiments, with their numbers."""
    places = {"text": cited_in(description.text), "reason": cited_in(description.reason)}
    places["evidence"] = list(description.evidence)
    places |= {f"facet {i}": list(facet.evidence) for i, facet in enumerate(description.facets)}
    places |= {f"claim {name}": list(claim.evidence) for name, claim in description.claims.items() if claim}
    return places


def leaned_on(finding: Finding, number: int) -> dict[str, list[int]]:
    """Every place of a finding that leans on experiments, with their numbers."""
    places = {"answer": cited_in(finding.answer), "reason": cited_in(finding.reason)}
    places["evidence"] = list(finding.evidence)
    places |= {f"row {i}": list(row.evidence) for i, row in enumerate(finding.rows)}
    return {f"finding {number} {place}": numbers for place, numbers in places.items()}


def same_finding(row: FindingRow, finding: Finding) -> None:
    if Finding.model_validate(row.body) != finding:
        raise RuntimeError(
            f"finding {row.number} of run `{row.run}` is recorded and would say something else"
        )


def cite(
    session: Session, run: str, thread: str, places: Mapping[str, Iterable[int]], against: str = ""
) -> None:
    """Writes down who leans on which experiment. A receipt is a recorded experiment on the same target, not on test;
    what compares two targets says so, and may cite experiments `against` the other one as well."""
    allowed = {known_run(session, run).fingerprint, against}
    for place, numbers in places.items():
        for number in dict.fromkeys(numbers):
            cited = session.get(ExperimentRow, number)
            if cited is None:
                raise RuntimeError(f"`[e{number}]`: no such experiment is recorded ({place} of `{thread}`)")
            if cited.fingerprint not in allowed:
                raise RuntimeError(f"`[e{number}]` was made on another target ({place} of `{thread}`)")
            if cited.split == "test":
                raise RuntimeError(f"`[e{number}]` belongs to the sealed test ({place} of `{thread}`)")
            session.add(CitationRow(run=run, thread=thread, place=place, experiment=number))


def not_yet_tested(description: Description) -> None:
    """A description is frozen before its test, so nothing in it can come from there."""
    if description.status == "verified":
        raise RuntimeError("a description is frozen before its test: `verified` is given by `settle`")
    if any(score.split == "test" for score in description.scores.values()):
        raise RuntimeError("a description is frozen before its test: it can't hold scores on `test`")


def same_words(row: DescriptionRow, description: Description) -> None:
    new = description.model_dump(mode="json", exclude=_NOT_WORDS)
    old = Description.model_validate(row.body).model_dump(mode="json", exclude=_NOT_WORDS)
    if changed := sorted(name for name in new if new[name] != old[name]):
        raise RuntimeError(
            f"the description of `{row.component}` in run `{row.run}` is frozen; {', '.join(changed)} would change"
        )


def same_score(row: ScoreRow, body: dict[str, Any]) -> None:
    if Score.model_validate(row.body) != Score.model_validate(body):
        raise RuntimeError(
            f"`{row.component}` already has the score `{row.name}` on {row.split} in run `{row.run}`"
        )


def frozen(session: Session, run: str, component: str) -> None:
    if session.get(DescriptionRow, (run, component)) is None:
        raise RuntimeError(f"`{component}` has no frozen description in run `{run}`: its test stays sealed")


def tested(session: Session, run: str, component: str) -> None:
    if (
        session.scalars(select(ScoreRow).filter_by(run=run, component=component, split="test")).first()
        is None
    ):
        raise RuntimeError(f"`{component}` has no score on `test` in run `{run}`: it can't be verified")
