"""`top_exemplars`: the pictures on which a component is most and least active, from the index.

Knows the index and how pictures are shown; runs the target for heat maps alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from pydantic import Field

from store.address import Address
from store.records import Model, Quantity, Reading
from tools.context import ToolContext
from tools.methods.neighbours import embedding, nearest
from tools.methods.showing import Component, Shown, keep, keep_overlays
from tools.methods.values import known, unit
from tools.tool import Arguments, Result, tool

if TYPE_CHECKING:
    from tools.index.entry import Pooled

QUANTILES = (0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
LEAST = 5
"""Pictures shown of the other end, and neighbours shown."""


class TopExemplarsArguments(Arguments):
    component: Component
    reading: Reading = Reading()
    k: Annotated[int, Field(ge=1, le=24, description="How many of the most active pictures.")] = 15


class Spread(Model):
    """How values are spread over pictures: counts between edges, in activations, larger meaning more."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class TopExemplars(Result):
    """`exemplars` by tail: `top`, `neighbour` (looks like a top one, `of`, and is inactive), `quantile`, `bottom`."""

    component: str
    reading: Reading
    exemplars: tuple[Shown, ...]
    histogram: Spread
    dead: bool


class Place(NamedTuple):
    """A picture to show: its number, the value there, why, and beside which other picture."""

    number: int
    value: float
    tail: str
    of: int | None = None


@tool
def top_exemplars(context: ToolContext, arguments: TopExemplarsArguments) -> TopExemplars:
    """The pictures on which a component is most active, with heat maps, beside others for comparison.

    Shows the k most active pictures under a reading (`+` high or `-` low values; over `visual`, `question` or `answer`
    tokens), inactive pictures that look like them, samples at quantiles, and the least active ones; and how values are
    spread: histogram, firing rate, whether the component is dead. Start here, with both signs.
    """
    address = context.address(arguments.component)
    pool = known(context, address, arguments.reading)
    places = _places(context, pool, arguments.k)
    entry = context.index.entry(address)
    spread = pool.histogram()
    warnings = ("the component is dead: it hardly varies over all pictures",) if entry.dead else ()
    return TopExemplars(
        component=str(address),
        reading=arguments.reading,
        exemplars=_shown(context, address, arguments.reading, places),
        histogram=Spread(edges=tuple(map(float, spread.edges)), counts=tuple(map(int, spread.counts))),
        dead=entry.dead,
        quantities=_quantities(pool, arguments.k),
        warnings=warnings,
        summary=_summary(address, arguments.reading, pool, places, entry.dead),
    )


def _places(context: ToolContext, pool: Pooled, k: int) -> list[Place]:
    """Which pictures are shown, each once."""
    top = [Place(stimulus, value, "top") for stimulus, value in pool.top[:k]]
    taken = {place.number for place in top}
    calm = [
        (int(number), float(value))
        for number, value in zip(pool.sample_numbers, pool.sample, strict=True)
        if value <= np.nanmedian(pool.sample) and int(number) not in taken
    ]
    found: list[Place] = []
    if calm and top:
        alike = nearest(
            embedding(context, [place.number for place in top[:LEAST]]),
            embedding(context, [number for number, _ in calm]),
        )
        for place, at in zip(top[:LEAST], alike.tolist(), strict=True):
            number, value = calm[at]
            found.append(Place(number, value, "neighbour", place.number))
    between = [
        Place(stimulus, value, "quantile")
        for quantile in QUANTILES
        for stimulus, value in pool.around(quantile, 1)
    ]
    bottom = [Place(stimulus, value, "bottom") for stimulus, value in pool.bottom[:LEAST]]
    once: dict[int, Place] = {}
    for place in [*top, *found, *between, *bottom]:
        once.setdefault(place.number, place)
    return list(once.values())


def _shown(
    context: ToolContext, address: Address, reading: Reading, places: list[Place]
) -> tuple[Shown, ...]:
    stimuli = [context.images.asked(place.number) for place in places]
    overlays = keep_overlays(context, address, reading, stimuli)
    return tuple(
        Shown(
            key=context.images.picture(place.number).key,
            index=place.number,
            value=round(place.value, 6),
            image=keep(context, stimulus.image),
            overlay=laid,
            tail=place.tail,
            of="" if place.of is None else context.images.picture(place.of).key,
            question=stimulus.question,
        )
        for place, stimulus, laid in zip(places, stimuli, overlays, strict=True)
    )


def _quantities(pool: Pooled, k: int) -> dict[str, Quantity]:
    best = [value for _, value in pool.top[:k]]
    return {
        "maximum": Quantity(value=pool.top[0].value, unit="activation", n=pool.n),
        "mean": Quantity(value=pool.mean, unit="activation", n=pool.n),
        "sd": Quantity(value=pool.sd, unit="activation", n=pool.n),
        "height": Quantity(
            value=(float(np.mean(best)) - pool.mean) / unit(pool), unit="sd above the mean", n=len(best)
        ),
        "firing_rate": Quantity(value=pool.fires, unit="share of pictures", n=pool.n),
    }


def _summary(address: Address, reading: Reading, pool: Pooled, places: list[Place], dead: bool) -> str:
    top = [place for place in places if place.tail == "top"]
    told = (
        f"{address}, {reading}: top {len(top)} of {pool.n} at {top[-1].value:.3g} to {top[0].value:.3g}; mean "
        f"{pool.mean:.3g}, sd {pool.sd:.3g}, fires on {pool.fires:.1%}. "
    )
    numbers = ", ".join(str(place.number) for place in top[:8])
    return told + ("Dead: it hardly varies." if dead else f"Top pictures: {numbers}.")
