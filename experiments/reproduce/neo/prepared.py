"""Items as a target sees them: the tokens of each thing, their sets, and the mean that stands in for them.

Knows grids and token sets; knows nothing about what is asked of the items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.reproduce.neo.items import FEWEST, Item, Pictures
from store.errors import UserError
from tools.methods.token_ablation import Sight, check_grid, reference, sights
from tools.methods.token_sets import RINGS, SetName, Tokens, TooCrowded, drawn, ringed, sets_of, tokens_of
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from tools.engine.engine import Engine
    from tools.engine.plan import Mean
    from tools.targets.adapter import Grid


@dataclass(frozen=True, eq=False)
class Prepared:
    """Items with their tokens. `ground` are as many tokens as the thing's that show no known thing and no ring of it;
    `crowded` counts items that were left out since too few tokens lie elsewhere, `unseen` those that no token shows."""

    items: tuple[Item, ...]
    grid: Grid
    things: tuple[Tokens, ...]
    ground: tuple[Tokens, ...]
    sets: tuple[dict[SetName, Tokens], ...]
    polled: tuple[Sight, ...]
    mean: Mean
    crowded: int
    unseen: int

    @property
    def polling(self) -> list[Stimulus]:
        return [item.polling for item in self.items]


def prepared(engine: Engine, pictures: Pictures, seed: int) -> Prepared:
    """Raises UserError for a target without one grid of tokens, and where fewer than FEWEST items are left."""
    kept: list[tuple[Item, Tokens, Tokens, dict[SetName, Tokens], Sight]] = []
    crowded = unseen = 0
    grid: Grid | None = None
    seen = sights(engine, [item.polling for item in pictures.items])
    for number, (item, sight) in enumerate(zip(pictures.items, seen, strict=True)):
        grid = engine.adapter.boxes(*item.polling.image.size)
        check_grid(sight, grid)
        thing = tokens_of(item.thing, grid)
        if not thing.any():
            unseen += 1
            continue
        random = np.random.default_rng([seed, number])
        free = ~ringed(thing, grid, RINGS) & ~tokens_of(item.others, grid, share=1e-9)
        try:
            sets = sets_of(thing, grid, sight.norms, random)
            ground = drawn(free, min(int(thing.sum()), max(1, int(free.sum()))), random)
        except TooCrowded:
            crowded += 1
            continue
        kept.append((item, thing, ground, sets, sight))
    if grid is None or len(kept) < FEWEST:
        raise UserError(
            f"only {len(kept)} of {len(pictures.items)} items can be used: {crowded} things leave too few tokens "
            f"elsewhere, {unseen} are shown by none",
            kind="items",
            hint="take more pictures, or smaller things",
        )
    return Prepared(
        tuple(one[0] for one in kept),
        grid,
        tuple(one[1] for one in kept),
        tuple(one[2] for one in kept),
        tuple(one[3] for one in kept),
        tuple(one[4] for one in kept),
        reference(engine, pictures.reference),
        crowded,
        unseen,
    )


def mean_sizes(sets: Sequence[dict[SetName, Tokens]]) -> dict[SetName, float]:
    """How many tokens each set has on average."""
    return {name: float(np.mean([one[name].sum() for one in sets])) for name in sets[0]}
