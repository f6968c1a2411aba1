"""Used or only encoded: a probe with its control task, then questions asked without what it reads."""

from __future__ import annotations

from typing import Literal

from agent.ask.answer import Answer, cited, row, told
from agent.ask.asking import Asking, quantity
from agent.ask.questions import Used
from store.records import Experiment

RANDOM = "random directions"
SHUFFLED = "labels shuffled"
VERDICTS = {
    "used": "is encoded and used",
    "encoded": "is encoded, and not used",
    "absent": "is not encoded",
}


def used(asking: Asking, question: Used) -> Answer:
    """Encoded and used, encoded only, not encoded; not known where the intervals allow more than one."""
    kinds = (question.questions,) if question.questions else ()
    found = asking.measure("probe", concept=question.concept, kinds=kinds)
    verdict, receipt = str(found.result["verdict"]), cited([found])
    rows = (
        row(str(found.result["site"]), "probe's accuracy, balanced", quantity(found, "encoded"), found),
        *(
            row(
                str(found.result["site"]),
                f"margin lost, {kind} questions",
                quantity(found, f"drop {kind}"),
                found,
                said,
            )
            for kind, said in found.result["uses"].items()
        ),
    )
    names = (question.concept, *found.result["uses"])
    if verdict not in VERDICTS:
        return Answer("", f"{found.result['because']} {receipt}.", rows=rows, names=names)
    sure: Literal["yes", "no"] = "yes" if verdict == "used" else "no"
    text = f"{question.concept} {VERDICTS[verdict]} {_where(question)} {receipt}. {_encoded(found)}"
    for kind in found.result["uses"]:
        drop = quantity(found, f"drop {kind}")
        text += (
            f" Without these directions the margin of {kind} questions falls by {told(drop, control=RANDOM)} logits "
            f"{receipt}."
        )
    if found.result["warnings"]:
        text += f" To be distrusted: {found.result['warnings'][0]} {receipt}."
    return Answer(text, "", sure, (), rows, names=names)


def _where(question: Used) -> str:
    return f"for {question.questions} questions" if question.questions else "for the questions asked"


def _encoded(found: Experiment) -> str:
    return (
        f"A linear probe reads it at {found.result['site']} with a balanced accuracy of "
        f"{told(quantity(found, 'encoded'), control=SHUFFLED)} {cited([found])}."
    )
