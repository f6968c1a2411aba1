"""Where things and a sign may stand: wholly inside the picture, and none over another.

Knows circles, rectangles and, where circles cannot tell, exact coverage; knows nothing about paint.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import hypot
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from experiments.tableau.scene import SIDE, SIGN_HEIGHT, SIGN_WIDTH, Sign, Thing
from experiments.tableau.shapes import reach, stamp
from store.errors import UserError

MARGIN = 1.0
"""Pixels that stay free between the picture's border and a thing or a sign."""
GAP = 1.0
"""Pixels between two circles of `reach` beyond which no anti-aliased pixel is shared."""
CANDIDATES, RESTARTS = 32, 300
"""Random places tried for each thing, and how often a layout is begun anew."""
UNHURRIED = 6
"""Attempts with even chances; later ones prefer the border, where things leave each other more room."""


class Point(NamedTuple):
    """A position in pixels from the top left corner."""

    x: float
    y: float


class Layout(NamedTuple):
    """Centers of things, in the order in which their reaches were given, and of the sign."""

    things: tuple[Point, ...]
    sign: Point | None


def card_span(sign: Sign) -> tuple[slice, slice]:
    """Rows and columns of a sign's card; a card that would lie outside is moved to the border."""
    top = min(max(round(sign.y - SIGN_HEIGHT / 2), 0), SIDE - SIGN_HEIGHT)
    left = min(max(round(sign.x - SIGN_WIDTH / 2), 0), SIDE - SIGN_WIDTH)
    return slice(top, top + SIGN_HEIGHT), slice(left, left + SIGN_WIDTH)


def inside(item: Thing | Sign) -> bool:
    """Whether a thing's circle or a sign's card keeps MARGIN from the border of the picture."""
    half_x, half_y = (reach(item),) * 2 if isinstance(item, Thing) else (SIGN_WIDTH / 2, SIGN_HEIGHT / 2)
    return all(
        half + MARGIN <= center <= SIDE - half - MARGIN
        for center, half in ((item.x, half_x), (item.y, half_y))
    )


def overlaps(one: Thing, other: Thing | Sign) -> bool:
    """Whether two things, or a thing and a sign, draw on a common pixel."""
    if isinstance(other, Sign):
        return _circle_meets_card(one, other) and bool(_drawn(one)[card_span(other)].any())
    if hypot(one.x - other.x, one.y - other.y) >= reach(one) + reach(other) + GAP:
        return False
    return bool((_drawn(one) & _drawn(other)).any())


def fits(things: Sequence[Thing], sign: Sign | None = None) -> bool:
    """Whether all lie inside the picture and none draws over another."""
    if not all(inside(item) for item in (*things, *((sign,) if sign else ()))):
        return False
    if sign is not None and any(overlaps(thing, sign) for thing in things):
        return False
    return not any(overlaps(one, other) for one, other in combinations(things, 2))


def place(rng: np.random.Generator, reaches: Sequence[float], sign: bool = False) -> Layout:
    """Random centers for things of the given reaches and for a sign, each at least GAP apart; largest first.

    Raises UserError of kind "no-room" when RESTARTS attempts found no room.
    """
    order = sorted(range(len(reaches)), key=lambda index: -reaches[index])
    if not reaches or max(reaches) + MARGIN < SIDE / 2:
        for attempt in range(RESTARTS):
            found = _attempt(rng, [reaches[index] for index in order], sign, crowd=attempt >= UNHURRIED)
            if found is not None:
                centers = dict(zip(order, found.things, strict=True))
                return Layout(tuple(centers[index] for index in range(len(order))), found.sign)
    named = ", ".join(f"{value:.0f}" for value in reaches)
    raise UserError(
        f"`{named}`: no room was found for things of these radii in pixels{' and a sign' if sign else ''}.",
        kind="no-room",
        hint="Use fewer or smaller things, or leave the sign out.",
    )


def _attempt(rng: np.random.Generator, reaches: Sequence[float], sign: bool, *, crowd: bool) -> Layout | None:
    """One random sequential placement, the sign first; None when a thing found no place."""
    centers: list[Point] = []
    shares = rng.random((len(reaches) + 1, CANDIDATES, 2))
    if crowd:
        shares = 0.5 - 0.5 * np.cos(np.pi * shares)
    *draws, ((across, down), *_) = shares.tolist()
    card = Point(_between(SIGN_WIDTH / 2, across), _between(SIGN_HEIGHT / 2, down)) if sign else None
    for radius, candidates in zip(reaches, draws, strict=True):
        for across, down in candidates:
            x, y = _between(radius, across), _between(radius, down)
            if card is not None and _gap_to_card(x, y, card) < radius + GAP:
                continue
            if all(
                (x - other.x) ** 2 + (y - other.y) ** 2 >= (radius + reaches[index] + GAP) ** 2
                for index, other in enumerate(centers)
            ):
                centers.append(Point(x, y))
                break
        else:
            return None
    return Layout(tuple(centers), card)


def _between(half: float, share: float) -> float:
    """The coordinate that lies at `share` of the room that something of half-width `half` has."""
    return half + MARGIN + share * (SIDE - 2 * (half + MARGIN))


def _gap_to_card(x: float, y: float, card: Point | Sign) -> float:
    """Distance from a point to a card, with half a pixel for the card's rounding to whole pixels."""
    beside = max(abs(x - card.x) - SIGN_WIDTH / 2 - 0.5, 0.0)
    return hypot(beside, max(abs(y - card.y) - SIGN_HEIGHT / 2 - 0.5, 0.0))


def _circle_meets_card(thing: Thing, sign: Sign) -> bool:
    return _gap_to_card(thing.x, thing.y, sign) < reach(thing) + GAP


def _drawn(thing: Thing) -> Bool[np.ndarray, "side side"]:
    """The pixels that a thing draws on when nothing hides it."""
    where = stamp(thing)
    drawn = np.zeros((SIDE, SIDE), dtype=np.bool_)
    drawn[where.rows, where.columns] = where.coverage > 0
    return drawn
