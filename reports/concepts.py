"""Concepts as a reader meets them: said in words, with what was written beside them.

Knows which texts are joined concepts (`a & !b`) and so need saying; how they are said is handed in, as this room can't
ask the one that reads concepts. What can't be read stays as it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from reports.record import Thread
from store.errors import UserError
from store.records import HEAD_CLAIMS, Experiment

JOINTS = frozenset("|&!+")
"""Signs that no single phrase holds."""
FIELDS = ("concept", "given")
"""Arguments that are concepts."""


class Plain(NamedTuple):
    """How a concept is said: in a sentence, and as a name. Both may raise UserError for what is none."""

    describe: Callable[[str], str]
    label: Callable[[str], str]


AS_WRITTEN = Plain(str, str)


class Concepts:
    """Says concepts in words: "a star without a dark background" for `star & !dark background`."""

    def __init__(self, plain: Plain) -> None:
        self._plain = plain

    def sentence(self, concept: str) -> str:
        return _said(self._plain.describe, concept)

    def name(self, concept: str) -> str:
        return _said(self._plain.label, concept)

    def of(self, experiment: Experiment) -> Mapping[str, str]:
        """What is written and how it is said, for the joined concepts that a call was given."""
        return self._joined(_given(experiment))

    def throughout(self, thread: Thread) -> Mapping[str, str]:
        """The same for every joined concept of a thread."""
        found = {proposed.hypothesis.concept for proposed in thread.proposed}
        found |= {concept for experiment in thread.shown for concept in _given(experiment)}
        if thread.description is not None:
            found |= {thread.description.concept, *(facet.phrase for facet in thread.description.facets)}
        claims = thread.claims.items()
        found |= {claim.about for name, claim in claims if claim and name not in HEAD_CLAIMS}
        return self._joined(sorted(found))

    def _joined(self, concepts: Iterable[str]) -> Mapping[str, str]:
        return {concept: self.sentence(concept) for concept in concepts if JOINTS & set(concept)}


def _given(experiment: Experiment) -> list[str]:
    told = (experiment.arguments.get(name) for name in FIELDS)
    return [concept for concept in told if isinstance(concept, str)]


def _said(say: Callable[[str], str], concept: str) -> str:
    if not JOINTS & set(concept):
        return concept
    try:
        return say(concept)
    except UserError:
        return concept
