"""`unexplained`: what a concept leaves open: where a component is active without it, and quiet in spite of it.

Within the pictures of which the concept holds, and within the others, every phrase that is said of some of them splits
the rest of the activation once more (Welch 1947). What comes first may be a second thing that the component stands
for, a condition, or an exception. Knows phrases and values; proposes, decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from typing import Annotated

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field

from store.records import Model, Quantity, Reading
from tools.context import ToolContext
from tools.methods.piles import presence_of
from tools.methods.showing import Component
from tools.methods.spoken import spoken
from tools.methods.values import known, unit, values
from tools.scoring.bootstrap import resampled, resamples
from tools.scoring.correlation import pearson
from tools.scoring.retrieval import HOLDS
from tools.tool import Arguments, Result, tool

FEWEST = 8
"""Pictures that each side of a split needs."""
LISTED = 12
"""Phrases that each list gives."""
DRAWS = 500


class UnexplainedArguments(Arguments):
    component: Component
    reading: Reading = Reading()
    concept: Annotated[
        str,
        Field(min_length=1, max_length=200, description="What it is thought to stand for: `star | moon`."),
    ]
    n: Annotated[int, Field(ge=64, le=2048, description="Pictures, drawn at random.")] = 1024


class Lead(Model):
    """A phrase that splits pictures among which the concept is no different: `n` show it, `without` do not.

    `effect` is the difference of the component's means in sd, `z` the same in its standard errors.
    """

    phrase: str
    n: int
    without: int
    effect: float
    z: float


class Unexplained(Result):
    """`missed`: phrases that raise it where the concept fails; `sharper` raise it and `spoiled` lower it where the
    concept holds. Each strongest first."""

    component: str
    reading: Reading
    concept: str
    missed: tuple[Lead, ...]
    sharper: tuple[Lead, ...]
    spoiled: tuple[Lead, ...]


@tool
def unexplained(context: ToolContext, arguments: UnexplainedArguments) -> Unexplained:
    """What a concept leaves unexplained of a component: further things, conditions and exceptions.

    Among pictures in which the concept fails, phrases that still raise the component (`missed`: try
    `concept | phrase`); among those in which it holds, phrases that raise it further (`sharper`: try
    `concept & phrase`) or lower it (`spoiled`: try `concept & !phrase`). With the correlation of concept and component.
    Many phrases are tried: these are leads to test, never evidence.
    """
    address = context.address(arguments.component)
    sd = unit(known(context, address, arguments.reading))
    order = context.random("unexplained").permutation(len(context.images))[: arguments.n]
    numbers = sorted(map(int, order))
    stimuli = [context.images.asked(number) for number in numbers]
    measured = values(context, [address], arguments.reading, stimuli)[:, 0] / sd
    said = spoken(context, stimuli, of_question=arguments.reading.scope != "visual")
    held = presence_of(context, arguments.concept, numbers)
    holds = held >= HOLDS
    outside, inside = _leads(said, measured, ~holds), _leads(said, measured, holds)
    missed = [lead for lead in outside if lead.z > 0][:LISTED]
    sharper = [lead for lead in inside if lead.z > 0][:LISTED]
    spoiled = [lead for lead in inside if lead.z < 0][:LISTED]
    drawn = resamples(numbers, draws=DRAWS, seed=context.derived_seed(address, "unexplained"))
    rho = resampled(pearson(measured[:, None], held[:, None], drawn.weights), drawn).estimates()[0]
    quantities = {
        "pearson": Quantity(value=rho.value, unit="correlation", ci=(rho.low, rho.high), n=rho.n, control=0.0)
    }
    return Unexplained(
        component=str(address),
        reading=arguments.reading,
        concept=arguments.concept,
        missed=tuple(missed),
        sharper=tuple(sharper),
        spoiled=tuple(spoiled),
        quantities=quantities,
        summary=(
            f"{address}, {arguments.reading}: `{arguments.concept[:80]}` correlates at {rho.value:.2f} "
            f"(n = {len(numbers)}, holds in {int(holds.sum())}). Missed: {_listed(missed)}. Sharper: "
            f"{_listed(sharper)}. Spoiled: {_listed(spoiled)}."
        )[:400],
    )


def _leads(
    said: Sequence[frozenset[str]], measured: Float[np.ndarray, "picture"], among: Bool[np.ndarray, "picture"]
) -> list[Lead]:
    """Every phrase that splits the pictures of one side, by the size of z."""
    places = np.flatnonzero(among)
    rest, phrases = measured[places], [said[place] for place in places.tolist()]
    counts = Counter(phrase for one in phrases for phrase in one)
    found = []
    for phrase in sorted(counts):
        shows = np.array([phrase in one for one in phrases], dtype=np.bool_)
        if min(shows.sum(), (~shows).sum()) >= FEWEST:
            found.append(_lead(phrase, rest[shows], rest[~shows]))
    return sorted(found, key=lambda lead: (-abs(lead.z), len(lead.phrase), lead.phrase))


def _lead(phrase: str, shown: Float[np.ndarray, "first"], other: Float[np.ndarray, "second"]) -> Lead:
    effect = float(shown.mean() - other.mean())
    error = sqrt(shown.var(ddof=1) / len(shown) + other.var(ddof=1) / len(other))
    z = effect / error if error > 0 else 0.0
    return Lead(phrase=phrase, n=len(shown), without=len(other), effect=round(effect, 3), z=round(z, 2))


def _listed(leads: Sequence[Lead]) -> str:
    return ", ".join(f"{lead.phrase} {lead.effect:+.2f} sd (z {lead.z:+.1f})" for lead in leads[:3]) or "none"
