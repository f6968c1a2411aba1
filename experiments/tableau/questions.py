"""Questions about a picture: their kinds, their wordings, and the one right answer.

Knows what each kind means on a scene graph and how it is worded; a wording is read back with the same templates that
wrote it (parse.py). Refuses to answer what has no single answer. Knows nothing about drawing questions (asker.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from experiments.tableau.phrases import Phrase, find
from experiments.tableau.scene import BACKGROUNDS, COLORS, FILLS, SHAPES, SIZES, Color, Scene, Shape, Thing

Kind = Literal[
    "polling",
    "color",
    "shape",
    "fill",
    "size",
    "background",
    "counting",
    "relation",
    "relation_yn",
    "two_hop",
    "compare",
    "sign",
    "context",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
Relation = Literal["left of", "right of", "above", "below"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)
DIRECTIONS: dict[Relation, str] = {"left of": "left", "right of": "right", "above": "up", "below": "down"}
NUMBERS = ("zero", "one", "two", "three", "four")
MARGIN = 8.0
"""Pixels by which one center must lie beyond another before a relation holds; nearer than that, none is asked."""

ANSWERS: dict[Kind, tuple[str, ...]] = {
    "polling": ("yes", "no"),
    "color": COLORS,
    "shape": SHAPES,
    "fill": FILLS,
    "size": SIZES,
    "background": BACKGROUNDS,
    "counting": NUMBERS,
    "relation": SHAPES,
    "relation_yn": ("yes", "no"),
    "two_hop": COLORS,
    "compare": SHAPES,
    "sign": (*COLORS, *SHAPES),
    "context": COLORS,
}
"""The answers between which a balanced set of the kind is even; chance is one over their number, except for
`compare`, which names the two things between which it asks."""

TEMPLATES: dict[Kind, tuple[str, ...]] = {
    "polling": ("is there {a} ?", "can you see {a} ?", "does the picture show {a} ?"),
    "color": (
        "what color is the {phrase} ?",
        "which color does the {phrase} have ?",
        "the {phrase} is what color ?",
    ),
    "shape": (
        "what shape is the {phrase} ?",
        "which shape does the {phrase} have ?",
        "the {phrase} is what shape ?",
    ),
    "fill": ("what fill does the {phrase} have ?", "how is the {phrase} filled ?"),
    "size": ("what size is the {phrase} ?", "how big is the {phrase} ?"),
    "background": (
        "what is the background ?",
        "what kind of background is there ?",
        "how does the background look ?",
    ),
    "counting": (
        "how many {plural} are there ?",
        "how many {plural} can you see ?",
        "what is the number of {plural} ?",
    ),
    "relation": ("what is {relation} the {phrase} ?", "which thing is {relation} the {phrase} ?"),
    "relation_yn": (
        "is the {phrase} {relation} the {other} ?",
        "does the {phrase} lie {relation} the {other} ?",
    ),
    "two_hop": (
        "what color is the thing {relation} the {phrase} ?",
        "which color does the thing {relation} the {phrase} have ?",
    ),
    "compare": ("which is further {direction} , the {phrase} or the {other} ?",),
    "sign": ("what does the sign say ?", "which word is on the sign ?"),
    "context": ("{facts} what color is the {phrase} ?", "{facts} which color does the {phrase} have ?"),
}
CAPTION_PROMPT = "describe the picture ."


class Unanswerable(ValueError):
    """The question has no single right answer in this scene."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What a text says without a picture: "the circle is red ."."""

    shape: Shape
    color: Color

    def __str__(self) -> str:
        return f"the {self.shape} is {self.color} ."


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, apart from how it is worded. Which fields are filled depends on the kind (see TEMPLATES)."""

    kind: Kind
    phrase: Phrase = Phrase()
    relation: Relation | None = None
    other: Phrase | None = None
    facts: tuple[Fact, ...] = ()

    def text(self, wording: int = 0) -> str:
        """The question in words, by the kind's template number `wording` (taken modulo their number)."""
        templates = TEMPLATES[self.kind]
        return templates[wording % len(templates)].format(
            a=self.phrase.with_article,
            phrase=self.phrase,
            plural=self.phrase.plural,
            relation=self.relation,
            direction=DIRECTIONS[self.relation] if self.relation else "",
            other=self.other,
            facts=" ".join(map(str, self.facts)),
        )


def answer(question: Question, scene: Scene) -> str:
    """The one right answer. Raises Unanswerable when there is none, or more than one."""
    match question.kind:
        case "polling":
            return "yes" if find(question.phrase, scene) else "no"
        case "color" | "shape" | "fill" | "size":
            matching = find(question.phrase, scene)
            return getattr(_only(matching, scene), question.kind) if matching else "none"
        case "background":
            return scene.background
        case "counting":
            return _number(len(find(question.phrase, scene)))
        case "relation" | "two_hop":
            return _beyond(question, scene)
        case "relation_yn":
            assert question.relation and question.other
            first, second = _pair(question, scene)
            return "yes" if holds(question.relation, first, second) else "no"
        case "compare":
            assert question.relation
            first, second = _pair(question, scene)
            return first.shape if holds(question.relation, first, second) else second.shape
        case "sign":
            return scene.sign.word if scene.sign else "nothing"
        case "context":
            colors = {fact.color for fact in question.facts if fact.shape == question.phrase.shape}
            if len(colors) != 1:
                raise Unanswerable(f"the facts do not settle the color of the {question.phrase}")
            return colors.pop()


def holds(relation: Relation, first: Thing, second: Thing) -> bool:
    """Whether `first` lies in this relation to `second`. Raises Unanswerable within MARGIN of a draw."""
    gap = {
        "left of": second.x - first.x,
        "right of": first.x - second.x,
        "above": second.y - first.y,
        "below": first.y - second.y,
    }[relation]
    if abs(gap) < MARGIN:
        raise Unanswerable(f"the two things are level: {abs(gap):.1f} px is less than {MARGIN} px")
    return gap > 0


def _only(matching: tuple[int, ...], scene: Scene) -> Thing:
    if len(matching) != 1:
        raise Unanswerable(f"the phrase fits {len(matching)} things, not one")
    return scene.things[matching[0]]


def _pair(question: Question, scene: Scene) -> tuple[Thing, Thing]:
    assert question.other
    first = _only(find(question.phrase, scene), scene)
    second = _only(find(question.other, scene), scene)
    if first is second:
        raise Unanswerable("both phrases name the same thing")
    return first, second


def _beyond(question: Question, scene: Scene) -> str:
    """What lies in the relation to the named thing: its shape or color, or "nothing"."""
    assert question.relation
    anchor = _only(find(question.phrase, scene), scene)
    there = [
        thing for thing in scene.things if thing is not anchor and holds(question.relation, thing, anchor)
    ]
    if len(there) > 1:
        raise Unanswerable(f"{len(there)} things are {question.relation} the {question.phrase}")
    if not there:
        return "nothing"
    return there[0].shape if question.kind == "relation" else there[0].color


def _number(count: int) -> str:
    if count >= len(NUMBERS):
        raise Unanswerable(f"{count} is more than the language can count to ({NUMBERS[-1]})")
    return NUMBERS[count]
