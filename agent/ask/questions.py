"""Questions as values: one class for each kind, with the sentence that says how it was understood.

Knows what a kind needs to be answered; knows nothing about wordings (grammar.py) or how it is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from store.address import Address

Role = Literal["reads", "carries", "writes"]
ROLES: dict[Role, str] = {
    "reads": "respond to",
    "carries": "carry to the answer",
    "writes": "write into the answer directly",
}
KINDS = (
    "what does ADDRESS do?",
    "which neurons (heads, components) read (carry, write) CONCEPT?",
    "is CONCEPT used or only encoded for KIND questions?",
    "is ADDRESS used for KIND questions?",
    "why 'ANSWER'? (with --image and --question)",
    "compare ADDRESS and ADDRESS",
    "what is known about WORDS?",
)
"""What can be asked, as it is told to people."""


@dataclass(frozen=True)
class WhatDoes:
    """What a component stands for."""

    component: Address
    kind = "what"

    @property
    def understood(self) -> str:
        return f"what does {self.component} do?"


@dataclass(frozen=True)
class Which:
    """Which components have a role for a concept; `among` is a set of addresses, empty for all."""

    role: Role
    concept: str
    parts: str
    among: str
    kind = "which"

    @property
    def understood(self) -> str:
        return f"which {self.parts} {ROLES[self.role]}: {self.concept}?"


@dataclass(frozen=True)
class Used:
    """Whether a concept is used for questions of a kind, or only encoded; "" is every kind there is."""

    concept: str
    questions: str
    kind = "used"

    @property
    def understood(self) -> str:
        where = f"{self.questions} questions" if self.questions else "all questions"
        return f"is {self.concept} used for {where}, or only encoded?"


@dataclass(frozen=True)
class Needed:
    """Whether a component is used for questions of a kind; "" is every kind there is."""

    component: Address
    questions: str
    kind = "needed"

    @property
    def understood(self) -> str:
        where = f"{self.questions} questions" if self.questions else "any kind of question"
        return f"is {self.component} used for {where}?"


@dataclass(frozen=True)
class Why:
    """Why the target gives this answer to a question about a picture."""

    answer: str
    kind = "why"

    @property
    def understood(self) -> str:
        return f"which tokens and components make the answer “{self.answer}”?"


@dataclass(frozen=True)
class Compare:
    """What two components have in common, and in what they differ."""

    first: Address
    second: Address
    kind = "compare"

    @property
    def understood(self) -> str:
        return f"in what do {self.first} and {self.second} differ?"


@dataclass(frozen=True)
class Known:
    """What the store says about some words."""

    words: str
    kind = "known"

    @property
    def understood(self) -> str:
        return f"what does the store say about {self.words}?"


@dataclass(frozen=True)
class Free:
    """A question that a language model takes as it stands."""

    words: str
    kind = "free"

    @property
    def understood(self) -> str:
        return self.words


Question = WhatDoes | Which | Used | Needed | Why | Compare | Known | Free
