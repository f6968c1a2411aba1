"""What a component does: its newest description in the store, else one that is made for the question."""

from __future__ import annotations

from collections.abc import Callable

from agent.ask.answer import Answer
from agent.ask.asking import Asking
from agent.ask.known import claimed, leans_on
from agent.ask.questions import WhatDoes
from store.address import Address
from store.records import Described, Description

Labelled = tuple[str, Description]
Label = Callable[[Address], Labelled]
"""Describes a component in a run of its own and gives the run's id and what was frozen."""


def what(asking: Asking, question: WhatDoes, label: Label) -> Answer:
    """Not known where the description is an abstention, or an error ended the work on it."""
    stored = asking.store.queries.described(asking.fingerprint, str(question.component))
    run, one = stored[0] if stored and stored[0][1].status != "failed" else label(question.component)
    leans_on(asking, one)
    place = (Described(run=run, component=one.component),)
    names = (one.label, one.concept, *(facet.phrase for facet in one.facets))
    if not one.label:
        return Answer("", one.reason, described=place, names=names)
    return Answer(one.text, "", "", (one.component,), tuple(claimed(one)), described=place, names=names)
