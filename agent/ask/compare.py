"""Two components beside one another: whether they move together, what each is needed for, what the store says."""

from __future__ import annotations

from typing import Literal

from agent.ask.answer import Answer, cited, row, told
from agent.ask.asking import Asking, quantity
from agent.ask.known import leans_on
from agent.ask.needed import drops, needed_for
from agent.ask.questions import Compare
from store.errors import PlannerError
from store.records import AnswerRow, Described, Quantity

RANDOM = "random pairs"
TOGETHER = 0.5
"""Correlation from which on two components are said to go together, and below which they are not."""
Alike = Literal["", "yes", "no"]
TOLD: dict[Alike, str] = {
    "yes": "they go together, more than others of their sites",
    "no": "they do not go together",
    "": "it is open whether they go together",
}


def compare(asking: Asking, question: Compare) -> Answer:
    """Correlation over pictures beside that of others of their sites; then the questions each is needed for."""
    together = asking.measure("correlate", component=str(question.first), other=str(question.second))
    rho, receipt = quantity(together, "correlation"), cited([together])
    rows: list[AnswerRow] = [
        row(f"{question.first}, {question.second}", "correlation over pictures", rho, together)
    ]
    verdict = _together(rho)
    text = (
        f"Over pictures {TOLD[verdict]}: their correlation is {told(rho, control=RANDOM)} at their closest readings "
        f"{receipt}."
    )
    for address in (question.first, question.second):
        try:
            ablated = asking.measure("ablate", component=str(address))
        except PlannerError:
            text += f" Of {address} nothing causal was measured {receipt}."
            continue
        text += f" {needed_for(ablated)}"
        rows += drops(ablated, ablated.result["necessary"])
    places, names = [], []
    for address in (question.first, question.second):
        for run, one in asking.store.queries.described(asking.fingerprint, str(address)):
            if one.label and (receipts := leans_on(asking, one)[:1]):
                text += f" The store describes {one.component} as “{one.label}” {cited(receipts)}."
                places.append(Described(run=run, component=one.component))
                names.append(one.label)
    pair = (str(question.first), str(question.second))
    return Answer(
        text,
        "",
        verdict,
        pair if verdict == "yes" else (),
        tuple(rows),
        described=tuple(places),
        names=tuple(names),
    )


def _together(rho: Quantity) -> Alike:
    """Yes where the interval lies above TOGETHER and above random pairs, no where it lies below one of them."""
    low, high = rho.ci or (rho.value, rho.value)
    control = rho.control or 0.0
    if low > max(TOGETHER, control):
        return "yes"
    return "no" if high < TOGETHER else ""
