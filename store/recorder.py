"""The record's pen: everything that a run does or claims is written here, once, and stays.

Each method commits before it returns; what has returned survives a kill. Rows only grow: what comes a second time under
the same key is either the same, and then the first stands, or a bug, and then it is refused. Knows what may be claimed
when (receipts exist, a text is frozen before its test); knows nothing about how it is read back.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from store import rules
from store.journal import OTHER_THREADS, Journal, Turn, component_of, now
from store.records import Claim, Description, Finding, Hypothesis, Score, Status, Verdict
from store.schema import DescriptionRow, FindingRow, HypothesisRow, ScoreRow, VerdictRow

__all__ = ["QUESTION", "Recorder", "Turn"]

QUESTION = OTHER_THREADS[0]
"""The thread of what is measured to answer a question."""


class Recorder(Journal):
    """Writes the record. Safe to use from several threads, and beside other processes on the same store."""

    def hypothesis(self, run: str, thread: str, number: int, hypothesis: Hypothesis) -> None:
        """A hypothesis under its number in the thread, from 1. The first one under a number stands."""
        body = hypothesis.model_dump(mode="json")
        row = HypothesisRow(run=run, thread=thread, number=number, statement=hypothesis.statement, body=body)
        self._first(row, of=(run, thread))

    def verdict(self, run: str, thread: str, number: int, verdict: Verdict) -> None:
        """What experiments say of hypothesis `number`. It may get several verdicts; the same one twice is one.

        Raises RuntimeError when the hypothesis or an experiment is not recorded.
        """
        body = verdict.model_dump(mode="json")

        def work(session: Session) -> None:
            rules.known_hypothesis(session, run, thread, number, verdict)
            before = rules.verdicts_on(session, run, thread, number)
            if any(row.body == body for row in before):
                return
            position = len(before) + 1
            rules.cite(session, run, thread, {f"verdict {number}.{position}": verdict.experiments})
            session.add(
                VerdictRow(
                    run=run,
                    thread=thread,
                    hypothesis=number,
                    position=position,
                    outcome=verdict.outcome,
                    body=body,
                )
            )

        self._access.write(work)

    def description(self, run: str, description: Description) -> None:
        """Freezes a component's description: from here on its words stand, whatever the test says.

        Raises RuntimeError for a second one that says something else, for a citation of what is not recorded, and for
        a status or score that only the blind test can give (see `settle`).
        """
        rules.not_yet_tested(description)
        row = DescriptionRow(
            run=run,
            component=description.component,
            label=description.label,
            text=description.text,
            body=description.model_dump(mode="json"),
            frozen=now(),
        )

        def work(session: Session) -> None:
            if stored := session.get(DescriptionRow, (run, description.component)):
                rules.same_words(stored, description)
                return
            component = component_of(session, run, description.component)
            component.status = description.status
            component.reason = description.reason
            rules.cite(session, run, description.component, rules.citations(description))
            session.add(row)

        self._access.write(work)

    def finding(self, run: str, number: int, finding: Finding) -> None:
        """The answer that a run gives, under its number in the run, from 1; the same one twice is one.

        Raises RuntimeError for another one under the same number, and for a citation of what is not recorded, belongs
        to a target that it is not about, or to the sealed test.
        """
        row = FindingRow(
            run=run,
            number=number,
            topic=finding.kind,
            claim=f"{finding.question} {finding.answer or finding.reason}",
            body=finding.model_dump(mode="json"),
        )

        def work(session: Session) -> None:
            if stored := session.get(FindingRow, (run, number)):
                rules.same_finding(stored, finding)
                return
            rules.known_run(session, run)
            rules.cite(session, run, QUESTION, rules.leaned_on(finding, number), finding.against)
            session.add(row)

        self._access.write(work)

    def score(self, run: str, component: str, name: str, score: Score) -> None:
        """A score of a component; the same one twice is one. On `test` its description must be frozen first.

        Raises RuntimeError when it is not, and for another score of the same name on the same split.
        """
        body = score.model_dump(mode="json")
        row = ScoreRow(
            run=run,
            component=component,
            name=name,
            split=score.split,
            value=score.value,
            body=body,
            scored=now(),
        )

        def work(session: Session) -> None:
            if stored := session.get(ScoreRow, (run, component, name, score.split)):
                rules.same_score(stored, body)
                return
            if score.split == "test":
                rules.frozen(session, run, component)
            component_of(session, run, component)
            session.add(row)

        self._access.write(work)

    def settle(
        self,
        run: str,
        component: str,
        status: Status,
        *,
        reason: str = "",
        claims: dict[str, Claim] | None = None,
    ) -> None:
        """What the blind test made of a frozen description: its last status, and the claims that only it decides.

        Raises RuntimeError when no description is frozen, and for `verified` without a score on `test`.
        """
        decided = {name: claim.model_dump(mode="json") for name, claim in (claims or {}).items()}

        def work(session: Session) -> None:
            rules.frozen(session, run, component)
            if status == "verified":
                rules.tested(session, run, component)
            row = component_of(session, run, component)
            row.status = status
            row.reason = reason or row.reason
            row.claims = row.claims | decided

        self._access.write(work)
