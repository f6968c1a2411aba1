"""Why this answer: the tokens and components whose exchange moves it most, for one picture and question."""

from __future__ import annotations

from dataclasses import dataclass

from agent.ask.answer import Answer, cited, listed, row, told
from agent.ask.asking import Asking, quantity
from agent.ask.questions import Why

RANDOM = "random ones"


@dataclass(frozen=True)
class Shown:
    """A picture of the planner's split by number or key, or the key of one that was put on record; the question."""

    image: int | str
    question: str


def why(asking: Asking, question: Why, shown: Shown) -> Answer:
    """No where the target says something else; not known where nothing moves the answer more than random parts do."""
    found = asking.measure("explain_answer", image=shown.image, question=shown.question)
    said, rival = str(found.result["said"]), str(found.result["rival"])
    receipt, names = cited([found]), (question.answer, said, rival, shown.question)
    if question.answer != said.lower():
        other = (
            f"It does not say “{question.answer}” there: it says “{said}”, by {told(quantity(found, 'margin'))} logits "
            f"before “{rival}” {receipt}."
        )
        return Answer(other, "", "no", names=names)
    parts = found.result["parts"]
    stood = [one for one in parts if one["stood"]]
    rows = tuple(
        row(
            one["part"],
            "margin lost without it",
            quantity(found, f"drop {one['part']}"),
            found,
            "stood" if one["stood"] else "no more than random ones",
        )
        for one in sorted(parts, key=lambda one: -one["drop"])
    )
    artifacts = {"map": found.result["artifacts"]["map"]} if "map" in found.result["artifacts"] else {}
    margin = quantity(found, "margin")
    if not stood:
        reason = f"no token and no component moved the answer surely more than random ones {receipt}."
        return Answer("", reason, rows=rows, artifacts=artifacts, names=names)
    text = (
        f"“{said}” leads “{rival}” by {told(margin)} logits {receipt}. "
        f"Taken from other pictures with the same question, these cost it most: "
        f"{listed([one['part'] for one in sorted(stood, key=lambda one: -one['drop'])])} {receipt}. "
    )
    best = max(stood, key=lambda one: float(one["drop"]))["part"]
    drop = quantity(found, f"drop {best}")
    text += f"Without {best} the lead falls by {told(drop, control=RANDOM)} logits {receipt}."
    named = tuple(one["part"] for one in sorted(stood, key=lambda one: -one["drop"]))
    return Answer(text, "", "yes", named, rows, artifacts=artifacts, names=names)
