"""Which visual tokens show a thing, the rings around it, and as many tokens elsewhere.

Sets of Neo et al. 2024, "Towards interpreting visual information processing in vision-language models": the object's
tokens, these with one and two rings of 8 neighbours, tokens of large norm ("registers"), those of largest attribution,
and random ones, drawn outside the second ring. Pure geometry: knows grids, masks and norms, no model. Not a tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from jaxtyping import Bool, Float

from store.errors import UserError

if TYPE_CHECKING:
    from tools.targets.adapter import Grid

COVERED = 0.25
"""Share of a token's pixels that a thing must cover to have it."""
LARGE = 2.0
"""Standard deviations above a picture's mean norm beyond which a token is a register."""
RINGS = 2
"""Rings around an object in which no random token is drawn."""

Tokens = Bool[np.ndarray, "token"]
SetName = Literal[
    "object",
    "object+1",
    "object+2",
    "register",
    "gradients",
    "gradients+1",
    "gradients+2",
    "random",
    "random+1",
    "random+2",
    "random register",
]
"""`gradients+1` and `random+1` have as many tokens as `object+1`, and so on."""
SETS: tuple[SetName, ...] = get_args(SetName)
CONTROL: Mapping[SetName, SetName] = {
    "object": "random",
    "object+1": "random+1",
    "object+2": "random+2",
    "gradients": "random",
    "gradients+1": "random+1",
    "gradients+2": "random+2",
    "register": "random register",
}
"""Beside which equally large set of random tokens each set stands."""

GRADIENTS: Mapping[SetName, SetName] = {
    "gradients": "object",
    "gradients+1": "object+1",
    "gradients+2": "object+2",
}
"""Like which set each set by gradients is large."""


class TooCrowded(UserError):
    """A thing whose rings leave fewer tokens than its control needs."""


def cover(mask: Bool[np.ndarray, "height width"], grid: Grid) -> Float[np.ndarray, "token"]:
    """The share of each token's pixels that a mask covers, from 0 to 1."""
    summed = np.pad(mask.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    left, top, right, bottom = np.rint(grid.boxes).astype(int).T
    inside = summed[bottom, right] - summed[top, right] - summed[bottom, left] + summed[top, left]
    return np.asarray(inside / np.maximum((right - left) * (bottom - top), 1))


def tokens_of(mask: Bool[np.ndarray, "height width"], grid: Grid, share: float = COVERED) -> Tokens:
    """The tokens of which a mask covers at least `share`; the fullest alone where there is none. A mask that no token
    shows has none."""
    filled = cover(mask, grid)
    found = np.asarray(filled >= share)
    if not found.any() and filled.max() > 0:
        found[filled.argmax()] = True
    return found


def ringed(tokens: Tokens, grid: Grid, rings: int) -> Tokens:
    """The tokens with so many rings of their 8 neighbours."""
    found = tokens.reshape(grid.rows, grid.columns)
    for _ in range(rings):
        padded = np.pad(found, 1)
        found = np.any(
            [
                padded[row : row + grid.rows, column : column + grid.columns]
                for row in range(3)
                for column in range(3)
            ],
            axis=0,
        )
    return np.asarray(found.reshape(-1))


def registers(norms: Float[np.ndarray, "token"]) -> Tokens:
    """The tokens whose norm lies more than LARGE standard deviations above the picture's mean; often none."""
    return np.asarray(norms > norms.mean() + LARGE * norms.std())


def highest(scores: Float[np.ndarray, "token"], n: int) -> Tokens:
    """The `n` tokens of the largest scores."""
    found = np.zeros(len(scores), dtype=bool)
    found[np.argsort(-scores, kind="stable")[:n]] = True
    return found


def drawn(free: Tokens, n: int, random: np.random.Generator) -> Tokens:
    """`n` of the free tokens. Raises TooCrowded where there are fewer."""
    if free.sum() < n:
        raise TooCrowded(
            f"a thing's surroundings leave {int(free.sum())} of {len(free)} tokens, fewer than the {n} of its control",
            kind="crowded",
            hint="take pictures of smaller things",
        )
    found = np.zeros(len(free), dtype=bool)
    found[random.choice(np.flatnonzero(free), n, replace=False)] = True
    return found


def as_many(tokens: Tokens, random: np.random.Generator) -> Tokens:
    """As many tokens of the picture, wherever they lie."""
    return drawn(np.ones(len(tokens), dtype=bool), int(tokens.sum()), random)


def sets_of(
    thing: Tokens, grid: Grid, norms: Float[np.ndarray, "token"], random: np.random.Generator
) -> dict[SetName, Tokens]:
    """Every set around a thing but those by gradients (`add_gradients`).

    Raises TooCrowded where the outside of the second ring has too few tokens for as many random ones.
    """
    grown = {ring: ringed(thing, grid, ring) for ring in range(RINGS + 1)}
    found: dict[SetName, Tokens] = {
        "object": thing,
        "object+1": grown[1],
        "object+2": grown[2],
        "register": registers(norms),
    }
    for name in tuple(found):
        found[CONTROL[name]] = drawn(~grown[RINGS], int(found[name].sum()), random)
    return found


def add_gradients(sets: dict[SetName, Tokens], scores: Float[np.ndarray, "token"]) -> None:
    """As many tokens as the thing's sets have, those that add most to the answer by these scores."""
    for name, like in GRADIENTS.items():
        sets[name] = highest(scores, int(sets[like].sum()))
