"""Whether a component is used: what the target can no longer answer, or answers otherwise, without it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agent.ask.answer import Answer, cited, listed, row, told
from agent.ask.asking import Asking, quantity
from agent.ask.questions import Needed
from agent.receipts import rounded
from store.records import AnswerRow, Experiment

RANDOM = "random components"
SHOWN = 4


def needed(asking: Asking, question: Needed) -> Answer:
    """Yes where a kind of question falls or rises surely without it, no where every kind surely does neither; not known
    between the two."""
    kinds = (question.questions,) if question.questions else ()
    ablated = asking.measure("ablate", component=str(question.component), kinds=kinds)
    receipt, name = cited([ablated]), str(question.component)
    effects = sorted(ablated.result["kinds"], key=lambda one: -abs(one["drop"]))
    moved = [one["kind"] for one in effects if one["unused"] == "no" or one["necessary"] == "yes"]
    rows = tuple(drops(ablated, moved or [one["kind"] for one in effects[:SHOWN]]))
    text = needed_for(ablated)
    if moved:
        text += "".join(_moved(ablated, kind) for kind in moved[:SHOWN])
        return Answer(text, "", "yes", (name,), rows)
    bound = quantity(ablated, "largest_bound")
    if ablated.result["unused"] == "yes":
        text += (
            f" Without it no kind of question moves by more than {told(bound)} logits of margin, where all of its site "
            f"moves one by {told_site(ablated)} {receipt}."
        )
        return Answer(text, "", "no", (), rows)
    reason = (
        f"whether {name} is used is open: nothing surely moves without it, but a kind of question could move by "
        f"{told(bound)} logits of margin and not show it in {bound.n} questions {receipt}."
    )
    return Answer("", reason, rows=rows)


def needed_for(ablated: Experiment) -> str:
    """In one sentence what a component is needed for, with its receipt."""
    name, receipt = str(ablated.result["component"]), cited([ablated])
    needed = ablated.result["necessary"]
    if needed:
        return f"{name} is needed for {listed(needed)} questions {receipt}."
    unused = {"yes": " and is unused", "no": "", "undetermined": ""}[str(ablated.result["unused"])]
    return f"{name} is surely needed for no kind of question{unused} {receipt}."


def drops(ablated: Experiment, kinds: Iterable[str]) -> list[AnswerRow]:
    """A line of the table for each of these kinds."""
    told_of: dict[str, Any] = {one["kind"]: one for one in ablated.result["kinds"]}
    return [
        row(
            str(ablated.result["component"]),
            f"margin lost, {kind} questions",
            quantity(ablated, f"drop_{kind}"),
            ablated,
            _said(told_of[kind]),
        )
        for kind in kinds
    ]


def told_site(ablated: Experiment) -> str:
    """What silencing the whole site costs, for the kind that its largest bound is of."""
    control = quantity(ablated, "largest_bound").control
    assert control is not None  # the tool gives the site's drop as its control
    return rounded(control)


def _moved(ablated: Experiment, kind: str) -> str:
    drop = quantity(ablated, f"drop_{kind}")
    way = "falls by" if drop.value > 0 else "rises: it falls by"
    return (
        f" Without it the margin of {kind} questions {way} {told(drop, control=RANDOM)} logits "
        f"{cited([ablated])}."
    )


def _said(effect: Any) -> str:
    if effect["necessary"] == "yes":
        return "needed"
    return {"yes": "not used", "no": "moves", "undetermined": ""}[effect["unused"]]
