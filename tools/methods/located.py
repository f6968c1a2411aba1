"""Where a concept shows in a picture, as tokens: what an edit that changes the concept changes.

Knows pairs, grids and questions whose answers differ between the sides of a pair. Refuses pairs that were found, not
made: their pictures differ everywhere. Not a tool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from store.errors import PlannerError
from store.records import Model
from tools.methods.answers import REFERENCE, refuse_wordless
from tools.methods.duels import Duel, asks_for_it, duels
from tools.methods.pairing import FEWEST, Made, pairs_for
from tools.methods.showing import keep
from tools.methods.token_ablation import Sight, check_grid, reference, sights
from tools.methods.token_sets import RINGS, SetName, Tokens, TooCrowded, ringed, sets_of, tokens_of
from tools.pictures import overlay
from tools.stimuli import Change, Pair, Stimulus

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.engine.plan import Mean
    from tools.targets.adapter import Grid

SHOWN = 4
WARMTH = (1.0, 0.45, 0.2)
"""How bright the thing and its rings are shown."""
LARGEST = 0.5
"""Share of a picture's tokens that an edit may change for these to count as a thing's."""


class ShownTokens(Model):
    """A picture on a page: the thing's tokens bright, its two rings darker."""

    key: str
    picture: str
    overlay: str
    tokens: int


class Located(NamedTuple):
    """Pictures with the concept, the tokens that show it, their sets, and untouched runs. `crowded` counts pictures
    that were left out since the thing and its rings leave too few tokens elsewhere."""

    duels: list[Duel]
    grid: Grid
    things: list[Tokens]
    sets: list[dict[SetName, Tokens]]
    seen: list[Sight]
    made: Made
    crowded: int

    @property
    def stimuli(self) -> list[Stimulus]:
        return [duel.pair.with_ for duel in self.duels]


def located(context: ToolContext, concept: str, change: Change, n: int) -> Located:
    """Up to `n` pictures whose question the concept answers. Raises PlannerError where fewer than FEWEST are left."""
    refuse_wordless(context)
    made = pairs_for(context, concept, change, n, wanted=asks_for_it, most=3 * len(context.images))
    if made.found:
        raise PlannerError(
            "without an editor nobody knows which tokens show the concept",
            kind="editor",
            hint="ablate components instead, or ask for pictures that can be edited",
        )
    told = duels(context, made)
    size = told[0].pair.with_.image.size
    grid = context.adapter.boxes(*size)
    every = sights(context.engine, [duel.pair.with_ for duel in told])
    kept: list[tuple[Duel, Tokens, dict[SetName, Tokens], Sight]] = []
    for duel, sight in zip(told, every, strict=True):
        check_grid(sight, grid)
        thing = _shown(duel.pair, grid)
        if duel.pair.with_.image.size != size or not thing.any() or thing.mean() > LARGEST:
            continue
        random = context.random("tokens", duel.pair.with_.key)
        try:
            kept.append((duel, thing, sets_of(thing, grid, sight.norms, random), sight))
        except TooCrowded:
            continue
    if len(kept) < FEWEST:
        raise PlannerError(
            f"only {len(kept)} of {len(told)} pictures show `{concept}` on so few tokens that as many lie elsewhere",
            kind="pairs",
            hint="name a smaller thing",
        )
    return Located(
        [one[0] for one in kept],
        grid,
        [one[1] for one in kept],
        [one[2] for one in kept],
        [one[3] for one in kept],
        made,
        len(told) - len(kept),
    )


def reference_of(context: ToolContext) -> Mean:
    """The mean visual token over REFERENCE of the planner's pictures."""
    order = context.random("reference").permutation(len(context.images))[:REFERENCE]
    with context.shared():
        return reference(context.engine, [context.images.asked(int(number)) for number in sorted(order)])


def said(logits: np.ndarray) -> np.ndarray:
    """The likeliest token of each row."""
    return np.asarray(logits.argmax(axis=-1))


def shown(context: ToolContext, found: Located) -> tuple[ShownTokens, ...]:
    """The first pictures as artifacts."""
    pages = []
    for duel, thing in list(zip(found.duels, found.things, strict=True))[:SHOWN]:
        heat = np.zeros(len(thing))
        for ring in range(RINGS, -1, -1):
            heat[ringed(thing, found.grid, ring)] = WARMTH[ring]
        image = duel.pair.with_.image
        laid = overlay(image, heat.reshape(found.grid.rows, found.grid.columns), 1.0)
        pages.append(
            ShownTokens(
                key=duel.pair.with_.key,
                picture=keep(context, image),
                overlay=keep(context, laid),
                tokens=int(thing.sum()),
            )
        )
    return tuple(pages)


def _shown(pair: Pair, grid: Grid) -> Tokens:
    """The tokens that an edit changes."""
    if pair.region is not None:
        return tokens_of(pair.region, grid)
    one, other = (np.asarray(side.image) for side in (pair.with_, pair.without))
    if one.shape != other.shape:
        return np.zeros(len(grid.boxes), dtype=bool)
    return tokens_of((one != other).any(axis=-1), grid)
