"""What the store says: of a component, its newest description; of words, every description that holds them.

Reads the record and measures nothing. What the sealed test says of a description is not copied: it stands where the
description stands.
"""

from __future__ import annotations

from agent.ask.answer import Answer, cited, listed
from agent.ask.asking import Asking
from agent.ask.questions import Known
from store.errors import UserError
from store.records import AnswerRow, Described, Description, Experiment
from store.rules import cited_in
from store.views import Hit

SHOWN = 5


def known(asking: Asking, question: Known) -> Answer:
    """Not known where none of the store's words for this target hold all of the question's."""
    store, fingerprint = asking.store, asking.fingerprint
    hits = [
        hit
        for hit in store.queries.search(question.words, 50, fingerprint=fingerprint)
        if hit.run != asking.run
    ]
    newest = {one.component: (run, one) for run, one in store.queries.described(fingerprint)}
    described = [
        (run, one)
        for run, one in newest.values()
        if one.label
        and any(hit.kind == "description" and (hit.run, hit.thread) == (run, one.component) for hit in hits)
    ]
    measured = [one for hit in hits if (one := _experiment(asking, hit)) is not None][:SHOWN]
    names = (question.words, *(one.label for _, one in described))
    if not described and not measured:
        return Answer("", f"the store says nothing about `{question.words}` on this target.", names=names)
    rows = tuple(row for _, one in described for row in claimed(one))
    text = " ".join(filter(None, (_descriptions(asking, described), _experiments(measured))))
    places = tuple(Described(run=run, component=one.component) for run, one in described[:SHOWN])
    if not text:
        return Answer("", "what it holds has no receipt.", rows=rows, described=places, names=names)
    named = tuple(place.component for place in places)
    return Answer(text, "", "", named, rows, places, names=names)


def leans_on(asking: Asking, one: Description) -> list[Experiment]:
    """The experiments that a description cites, as far as the store has them; cited from now on."""
    numbers = dict.fromkeys((*cited_in(one.text), *cited_in(one.reason), *one.evidence))
    found = []
    for number in numbers:
        try:
            found.append(asking.cite(asking.store.queries.experiment(number)))
        except UserError:
            continue
    return found


def _descriptions(asking: Asking, described: list[tuple[str, Description]]) -> str:
    """One sentence that names them, with the first receipt of each."""
    parts = []
    for _, one in described[:SHOWN]:
        if receipts := leans_on(asking, one)[:1]:
            parts.append(f"{one.component} as “{one.label}” {cited(receipts)}")
    return f"The store describes {listed(parts)}." if parts else ""


def _experiments(measured: list[Experiment]) -> str:
    return f"It was measured by {cited(measured)}." if measured else ""


def _experiment(asking: Asking, hit: Hit) -> Experiment | None:
    if hit.kind != "experiment" or hit.number is None:
        return None
    return asking.cite(asking.store.queries.experiment(hit.number))


def claimed(one: Description) -> list[AnswerRow]:
    """Its effects, as its claims have them."""
    return [
        AnswerRow(
            component=one.component,
            value=claim.effect,
            ci=claim.ci,
            control=claim.control,
            evidence=claim.evidence,
            measure=f"{name} {claim.about}".strip().replace("_", " "),
            told=f"{one.label}: {claim.verdict}",
        )
        for name, claim in one.claims.items()
        if claim is not None and claim.effect is not None and claim.evidence
    ]
