"""An audit from its topics to findings in the store: surveys, components that carry what was found, correction, words.

Every survey is a recorded experiment, with its hypothesis before and its verdict after; a resumed audit finds what it
has asked already, and asks the rest. Knows the order of work; knows nothing about any world.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from experiments.audit import grounding, responsible
from experiments.audit.asking import polled
from experiments.audit.findings import (
    Claimed,
    Counted,
    as_verdict,
    compared,
    findings,
    summary,
    suspected,
)
from experiments.audit.maps import mapped
from experiments.audit.results import Found, Mappings, Surveyed, counts_of, surveyed
from experiments.audit.survey import Survey, predicted
from experiments.audit.topics import NotHere, placed, refuse_wordless, surveys
from store import audits
from store.audits import THREAD, Audit, Topic, Unmeasured
from store.errors import MaieuticError, UserError
from store.recorder import Turn
from store.records import Cost, Quantity
from store.views import RunEnd
from tools.budget import Budget, BudgetReached
from tools.door import code_version
from tools.meter import metered
from tools.tool import Result

if TYPE_CHECKING:
    from experiments.workplace import Workplace
    from store.records import Experiment
    from tools.context import ToolContext

Tell = Callable[[str], None]


def begin(workplace: Workplace, topics: Sequence[Topic], n: int, words: dict[str, Any]) -> str:
    """Opens a run and returns its id. Raises UserError for a target that answers no questions."""
    refuse_wordless(workplace)
    workplace.register()
    arguments = {**words, "topics": list(topics), "n": n}
    return workplace.store.recorder.open_run(
        "audit", workplace.target.fingerprint, arguments, workplace.seed, "none"
    )


def carry_on(
    workplace: Workplace,
    run: str,
    topics: Sequence[Topic],
    n: int,
    budget: Budget,
    tell: Tell = lambda _: None,
) -> Audit:
    """Asks what the run has not asked yet, and says what was found.

    Raises UserError where none of the topics can be measured. An interruption leaves the run resumable.
    """
    recorder = workplace.store.recorder
    recorder.resume_run(run)
    try:
        auditor = Auditor(workplace, run, n, budget, tell)
        status = auditor.work(topics)
        if not auditor.counted and status == "done":
            raise UserError(
                "none of the topics can be measured here: "
                + "; ".join(f"{one.topic}: {one.reason}" for one in auditor.unmeasured),
                kind="audit",
                hint="audit an embedded target, or give pictures with `--images` and `--questions`",
            )
        found = findings(auditor.counted)
        for finding, number in zip(found, auditor.hypotheses, strict=True):
            recorder.verdict(run, THREAD, number, as_verdict(finding, number))
        audits.keep(workplace.store.access, run, found)
    except KeyboardInterrupt:
        recorder.end_run(run, "interrupted")
        raise
    except MaieuticError:
        recorder.end_run(run, "partial")
        raise
    except Exception:
        recorder.end_run(run, "failed")
        raise
    recorder.end_run(run, status)
    return Audit(
        run=run,
        target=workplace.target.name,
        fingerprint=workplace.target.fingerprint,
        seed=workplace.seed,
        status="budget" if status == "budget" else "done",
        summary=summary(found),
        findings=found,
        unmeasured=tuple(auditor.unmeasured),
    )


class Auditor:
    """One audit at work: what it has counted, and where it stands in the record."""

    def __init__(self, workplace: Workplace, run: str, n: int, budget: Budget, tell: Tell) -> None:
        self.workplace, self.run, self.n, self.budget, self.tell = workplace, run, n, budget, tell
        self.context: ToolContext = workplace.context(budget, index=False)
        self.counted: list[Counted] = []
        self.hypotheses: list[int] = []
        self.unmeasured: list[Unmeasured] = []
        self._step = 0

    def work(self, topics: Sequence[Topic]) -> RunEnd:
        """`budget` where it did not allow all of it."""
        for topic in topics:
            try:
                for survey in surveys(self.workplace, topic, self.n):
                    self._survey(survey)
                if topic == "grounding":
                    self._ground()
            except NotHere as error:
                self.unmeasured.append(Unmeasured(topic=topic, reason=str(error)))
            except BudgetReached as error:
                self.unmeasured.append(Unmeasured(topic=topic, reason=error.message))
                return "budget"
        return "done"

    def _survey(self, survey: Survey) -> None:
        step = self._next(Claimed.of(survey))
        asked = {"survey": survey.name, "topic": survey.topic, "n": self.n}
        told = self._measured(step, 0, "audit_survey", asked, lambda: self._ask(survey))
        counts = counts_of(told)
        one = Counted(Claimed.of(survey), counts, (told.number,))
        self._count(step, one)
        self.tell(str(told.result["summary"]))
        if survey.cue and suspected(counts):
            self._search(survey, step, told.number)

    def _search(self, survey: Survey, step: int, first: int) -> None:
        asked = {"survey": survey.name, "n": self.n}
        searched = self._measured(step, 1, "audit_search", asked, lambda: self._find(survey))
        names = [str(one) for one in searched.result["parts"]]
        if not names:
            return
        claimed = responsible.claimed(survey, names)
        number = self._next(claimed)
        known = {part.name: part for part in responsible.parts(self.context)}
        best = [known[name] for name in names]
        beside = responsible.at_random(self.context, survey, best)
        asked = {
            "survey": survey.name,
            "parts": names,
            "random": [[one.name for one in some] for some in beside],
        }
        silenced = self._measured(
            step, 2, "audit_silence", asked, lambda: self._silence(survey, best, beside)
        )
        counts = counts_of(silenced)
        drops = {name: Quantity.model_validate(one) for name, one in searched.result["quantities"].items()}
        evidence = (first, searched.number, silenced.number)
        self._count(number, Counted(claimed, counts, evidence, drops))
        self.tell(str(silenced.result["summary"]))

    def _ground(self) -> None:
        """Maps of answers about one of several things, about the only one, and about things never shown in training."""
        step, number = self._next(grounding.WRONG_PLACE), self._next(grounding.GATE)
        asked = {"survey": grounding.WRONG_PLACE.name, "n": self.n}
        told = self._measured(step, 0, "audit_maps", asked, self._map)
        self._count(step, Counted(grounding.WRONG_PLACE, counts_of(told), (told.number,)))
        self.tell(str(told.result["summary"]))
        gated = Mappings.model_validate(told.result).gate
        if gated is None:
            reason = "the gate gives all of its answers, or none: that does not say what it is worth"
            self.unmeasured.append(Unmeasured(topic="grounding", reason=reason))
            return
        numbers = {name: one for name, one in gated.quantities.items() if name not in gated.counts}
        self._count(number, Counted(grounding.GATE, gated.counts, (told.number,), numbers))
        self.tell(gated.summary)

    def _map(self) -> Mappings:
        seen = [
            [(one, mapped(self.context, one)) for one in items]
            for items in placed(self.workplace, max(self.n // grounding.SHARE, 8))
        ]
        beside, alone, new = seen
        counts = {"tested": grounding.missed(beside), "control": grounding.missed(alone)}
        if not all(n for _, n in counts.values()):
            raise NotHere("it answers none of the questions rightly whose answers would be mapped")
        gated = grounding.gate([*beside, *new], self.workplace.seed)
        place = surveyed(grounding.WRONG_PLACE.name, counts).model_dump()
        if gated is None:
            return Mappings(**place, gate=None)
        told = surveyed(grounding.GATE.name, gated.counts)
        told = told.model_copy(update={"quantities": {**told.quantities, **gated.numbers}})
        return Mappings(**place, gate=told)

    def _next(self, claimed: Claimed) -> int:
        """The next step, with its hypothesis on record."""
        self._step += 1
        hypothesis = predicted(claimed.claim, claimed.control_is)
        self.workplace.store.recorder.hypothesis(self.run, THREAD, self._step, hypothesis)
        return self._step

    def _count(self, hypothesis: int, counted: Counted) -> None:
        self.hypotheses.append(hypothesis)
        self.counted.append(counted)

    def _ask(self, survey: Survey) -> Surveyed:
        held = polled(self.context, survey, progress=self.workplace.progress)
        counts = {name: (sum(one), len(one)) for name, one in held.items()}
        more = compared(held["tested"], held["control"]) if survey.paired else {}
        return surveyed(survey.name, {**counts, **more})

    def _find(self, survey: Survey) -> Found:
        found = responsible.search(self.context, survey)
        names = tuple(part.name for part in found.first)
        return Found(
            survey=survey.name,
            parts=names,
            quantities=found.drops,
            summary=f"of {found.searched} parts, {', '.join(names) or 'none'} bring `{survey.cue}` to the answer most",
        )

    def _silence(
        self, survey: Survey, best: responsible.Parts, beside: Sequence[responsible.Parts]
    ) -> Surveyed:
        return surveyed(survey.name, responsible.silencing(self.context, survey, best, beside))

    def _measured(
        self, step: int, call: int, tool: str, arguments: dict[str, Any], measure: Callable[[], Result]
    ) -> Experiment:
        """What stands in the record at this place, or what is measured now."""
        turn = Turn(self.run, THREAD, step, call)
        recorder = self.workplace.store.recorder
        if found := recorder.find(turn):
            return found
        self.budget.check()
        began = time.monotonic()
        with metered() as meter:
            result = measure()
        cost = Cost(forwards=meter.rows, seconds=round(time.monotonic() - began, 3))
        self.budget.charge(1, cost.forwards)
        return recorder.experiment(
            turn,
            tool=tool,
            arguments=arguments,
            seed=self.workplace.seed,
            fingerprint=self.workplace.target.fingerprint,
            code=code_version(),
            result=result.model_copy(update={"cost": cost}).model_dump(mode="json", by_alias=True),
            seconds=cost.seconds,
        )
