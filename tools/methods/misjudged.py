"""`misjudged`: pictures on which a concept is wrong about a component, from the planner's own split.

A concept is wrong where it fails and the component is active all the same, and where it holds and the component is
quiet. Knows presence and values; shows pictures, measures how many there are, and leaves it to the planner to say what
they have in common.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field

from store.address import Address
from store.records import Quantity, Reading
from tools.context import ToolContext
from tools.methods.piles import presence_of
from tools.methods.showing import Component, Shown, keep, keep_overlays
from tools.methods.values import known, unit, values
from tools.scoring.intervals import wilson
from tools.scoring.retrieval import HOLDS
from tools.tool import Arguments, Result, tool

ACTIVE = 1.0
"""Sd above the mean from which on a component is active."""


class MisjudgedArguments(Arguments):
    component: Component
    reading: Reading = Reading()
    concept: Annotated[
        str,
        Field(min_length=1, max_length=200, description="What it is thought to stand for: `star | moon`."),
    ]
    k: Annotated[int, Field(ge=1, le=8, description="Pictures of each kind.")] = 4
    n: Annotated[int, Field(ge=64, le=2048, description="Pictures, drawn at random.")] = 1024


class Misjudged(Result):
    """`exemplars` by tail: `missed` (active without the concept) and `false` (quiet in spite of it), worst first."""

    component: str
    reading: Reading
    concept: str
    exemplars: tuple[Shown, ...]


@tool
def misjudged(context: ToolContext, arguments: MisjudgedArguments) -> Misjudged:
    """Pictures that a concept gets wrong: where the component is active without it, and quiet in spite of it.

    Gives the worst of each kind as pictures to look at, the share of active pictures that the concept misses (the
    control is its share among all pictures that lack it), and the share of its own pictures that leave the component
    below its mean. Use it on your favorite before you conclude, and when its score is low.
    """
    address = context.address(arguments.component)
    pool = known(context, address, arguments.reading)
    drawn = context.random("unexplained").permutation(len(context.images))[: arguments.n]
    numbers = sorted(map(int, drawn))
    stimuli = [context.images.asked(number) for number in numbers]
    height = (values(context, [address], arguments.reading, stimuli)[:, 0] - pool.mean) / unit(pool)
    holds = presence_of(context, arguments.concept, numbers) >= HOLDS
    missed = [place for place in np.argsort(-height, kind="stable") if not holds[place]][: arguments.k]
    false = [place for place in np.argsort(height, kind="stable") if holds[place]][: arguments.k]
    chosen = [("missed", int(place)) for place in missed] + [("false", int(place)) for place in false]
    return Misjudged(
        component=str(address),
        reading=arguments.reading,
        concept=arguments.concept,
        exemplars=_shown(context, address, arguments.reading, [(tail, numbers[i]) for tail, i in chosen]),
        quantities=_quantities(height, holds),
        summary=_summary(address, arguments, height, holds),
    )


def _shown(
    context: ToolContext, address: Address, reading: Reading, places: list[tuple[str, int]]
) -> tuple[Shown, ...]:
    stimuli = [context.images.asked(number) for _, number in places]
    if not stimuli:
        return ()
    overlays = keep_overlays(context, address, reading, stimuli)
    measured = values(context, [address], reading, stimuli)[:, 0]
    return tuple(
        Shown(
            key=context.images.picture(number).key,
            index=number,
            value=round(float(value), 6),
            image=keep(context, stimulus.image),
            overlay=laid,
            tail=tail,
            question=stimulus.question,
        )
        for (tail, number), stimulus, laid, value in zip(places, stimuli, overlays, measured, strict=True)
    )


def _quantities(
    height: Float[np.ndarray, "picture"], holds: Bool[np.ndarray, "picture"]
) -> dict[str, Quantity]:
    """Shares with the counts that they are of; one that nothing can be counted for is left out."""
    active = height > ACTIVE
    found = {}
    if active.any():
        share = wilson(int((active & ~holds).sum()), int(active.sum()))
        found["missed"] = Quantity(
            value=share.value,
            unit="share of active pictures",
            ci=(share.low, share.high),
            n=share.n,
            control=float((~holds).mean()),
        )
    if holds.any():
        share = wilson(int((holds & (height < 0)).sum()), int(holds.sum()))
        found["false"] = Quantity(
            value=share.value,
            unit="share of pictures with it",
            ci=(share.low, share.high),
            n=share.n,
            control=float((height < 0).mean()),
        )
    return found


def _summary(
    address: Address,
    arguments: MisjudgedArguments,
    height: Float[np.ndarray, "picture"],
    holds: Bool[np.ndarray, "picture"],
) -> str:
    active, quiet = height > ACTIVE, holds & (height < 0)
    return (
        f"{address}, {arguments.reading}, `{arguments.concept[:120]}` on {len(height)} pictures: it misses "
        f"{int((active & ~holds).sum())} of {int(active.sum())} active ones, and {int(quiet.sum())} of "
        f"{int(holds.sum())} that hold it lie below the mean."
    )[:400]
