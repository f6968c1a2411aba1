"""Asking the forty: each in its place, marked, with controls; and the record of it.

The controls are what marks mean without the truth: every finding beside the right answer of another question of its
kind, and the questions that are answered with yes, asked of a target that was never trained.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.ask.why import Shown
from agent.builtin import BuiltinPlanner
from experiments.asking import ask
from experiments.forty.judged import Mark, Said, judged
from experiments.forty.places import Places
from experiments.forty.table import Case
from experiments.terms import Terms
from store.errors import UserError
from tools.scoring.intervals import wilson

MARKS: tuple[Mark, ...] = ("right", "wrong", "not known")
OTHERS = {"yes": "no", "no": "yes"}


@dataclass(frozen=True)
class Marked:
    """A case with addresses in the place of names, what was said, and its mark."""

    case: Case
    said: Said
    mark: Mark
    reason: str
    seconds: float

    def as_json(self) -> dict[str, Any]:
        case, finding = self.case, self.said.finding
        return {
            "place": case.place,
            "against": case.against or None,
            "question": case.text,
            "shown": case.shown or None,
            "again": case.again,
            "right": case.right,
            "because": case.because,
            "mark": self.mark,
            "reason": self.reason,
            "understood": finding.understood if finding else None,
            "status": finding.status if finding else "refused",
            "verdict": finding.verdict if finding else "",
            "named": list(finding.named) if finding else [],
            "said": (finding.answer or finding.reason) if finding else self.said.refusal,
            "measured": self.said.made,
            "seconds": round(self.seconds, 1),
        }


def asked(
    places: Places, cases: Sequence[Case], tell: Callable[[Marked], None] = lambda _: None
) -> list[Marked]:
    """All of them, in the order of the table."""
    found = []
    for case in cases:
        began = time.monotonic()
        whole, said = put(places, case)
        found.append(Marked(whole, said, *judged(whole, said), time.monotonic() - began))
        tell(found[-1])
    return found


def put(places: Places, case: Case) -> tuple[Case, Said]:
    """The case with addresses in the place of names, and what came of asking it."""
    workplace = places.workplace(case.place)
    text, shown = places.filled_in(case.text), None
    if case.shown:
        number, stimulus = places.shown(case.shown)
        other = next(word for word in _options(places, case.shown) if word != stimulus.answer)
        text = text.replace("{said}", stimulus.answer).replace("{other}", other)
        shown = Shown(number, stimulus.question)
    whole = replace(
        case,
        text=text,
        named=tuple(map(places.filled_in, case.named)),
        only=tuple(map(places.filled_in, case.only)),
    )
    other_place = places.workplace(case.against) if case.against else None
    before = spent(places)
    try:
        words = {"target": case.place, "images": places.images, "judge": "", "planner": "builtin"}
        done = ask(workplace, text, Terms(BuiltinPlanner(), words, shown=shown), other_place)
    except UserError as error:
        return whole, Said(refusal=error.message)
    finding, queries = done.found.finding, places.store.queries
    described = [queries.description(one.run, one.component, test=True) for one in finding.described]
    return whole, Said(
        finding,
        made=done.made,
        forwards=spent(places) - before,
        descriptions=tuple(one for one in described if one is not None),
        experiments={number: queries.experiment(number) for number in finding.evidence},
    )


def spent(places: Places) -> int:
    """Rows that went through models for everything that is recorded."""
    queries = places.store.queries
    return sum(
        int(one.result.get("cost", {}).get("forwards", 0))
        for run in queries.runs()
        for one in queries.experiments(run.id)
    )


def shares(marks: Iterable[Mark]) -> dict[str, dict[str, Any]]:
    """How often each mark was given, with its 95 % interval."""
    counted = Counter(marks)
    n = counted.total()
    return {name: told(counted[name], n) for name in MARKS}


def told(k: int, n: int) -> dict[str, Any]:
    share = wilson(k, n)
    return {"share": share.value, "ci": [share.low, share.high], "k": k, "n": n}


def mispaired(found: Sequence[Marked]) -> list[Mark]:
    """Every finding that says something beside the truth of the next one of its kind that says otherwise."""
    marks: list[Mark] = []
    answered = [one for one in found if one.said.finding is not None and one.case.right != "refused"]
    for one in answered:
        others = [
            other.case
            for other in (*answered, *answered)[answered.index(one) + 1 :]
            if other.case.kind == one.case.kind and truth(other.case) != truth(one.case)
        ]
        if others:
            wrong = others[0]
            swapped = replace(
                one.case, right=wrong.right, named=wrong.named, only=wrong.only, concept=wrong.concept
            )
            marks.append(judged(swapped, one.said)[0])
    return marks


def truth(case: Case) -> tuple[Any, ...]:
    return case.right, case.named, case.only, case.concept


def _options(places: Places, kind: str) -> tuple[str, ...]:
    from experiments.tableau.questions import ANSWERS

    return next(words for name, words in ANSWERS.items() if name == kind)
