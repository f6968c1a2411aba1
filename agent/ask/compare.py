"""Two components beside one another: whether they move together, what each is needed for, what the store says."""

from __future__ import annotations

from agent.ask.answer import Answer, cited, listed, row, told
from agent.ask.asking import Asking, quantity
from agent.ask.known import leans_on
from agent.ask.questions import Compare
from store.errors import PlannerError
from store.records import AnswerRow, Described, Experiment

RANDOM = "random pairs"


def compare(asking: Asking, question: Compare) -> Answer:
    """Correlation over pictures beside that of others of their sites; then the questions each is needed for."""
    together = asking.measure("correlate", component=str(question.first), other=str(question.second))
    rho, receipt = quantity(together, "correlation"), cited([together])
    rows: list[AnswerRow] = [
        row(f"{question.first}, {question.second}", "correlation over pictures", rho, together)
    ]
    alike = rho.ci is not None and rho.control is not None and rho.ci[0] > rho.control
    text = (
        f"Over pictures they go together with a correlation of {told(rho, control=RANDOM)} at their closest "
        f"readings, {'more than' if alike else 'not surely more than'} others of their sites {receipt}."
    )
    for address in (question.first, question.second):
        try:
            ablated = asking.measure("ablate", component=str(address))
        except PlannerError:
            text += f" Of {address} nothing causal was measured {receipt}."
            continue
        text += f" {_needed(ablated)}"
        rows += [
            row(
                str(address),
                f"margin lost, {kind} questions",
                quantity(ablated, f"drop_{kind}"),
                ablated,
                "necessary",
            )
            for kind in ablated.result["necessary"]
        ]
    places, names = [], []
    for address in (question.first, question.second):
        for run, one in asking.store.queries.described(asking.fingerprint, str(address)):
            if one.label and (receipts := leans_on(asking, one)[:1]):
                text += f" The store describes {one.component} as “{one.label}” {cited(receipts)}."
                places.append(Described(run=run, component=one.component))
                names.append(one.label)
    return Answer(text, rows=tuple(rows), described=tuple(places), names=tuple(names))


def _needed(ablated: Experiment) -> str:
    name, receipt = str(ablated.result["component"]), cited([ablated])
    needed = ablated.result["necessary"]
    if needed:
        return f"{name} is needed for {listed(needed)} questions {receipt}."
    unused = {"yes": " and is unused", "no": "", "undetermined": ""}[str(ablated.result["unused"])]
    return f"{name} is surely needed for no kind of question{unused} {receipt}."
