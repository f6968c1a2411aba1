"""Companions: the components of a site that rise and fall with one of them, and groups drawn to compare with.

A component's silence may show nothing because others do the same work. Correlations are over what the index has kept of
every component: the same stimuli for all. Knows values; knows nothing about interventions. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from store.address import Address
from store.errors import PlannerError
from tools.methods.values import others

if TYPE_CHECKING:
    from tools.context import ToolContext


def companions(context: ToolContext, address: Address, k: int) -> tuple[Address, ...]:
    """The `k` components of the site most correlated with this one, the most first; fewer where there are fewer.

    The correlation is the mean over the readings that the site has (picture, question, answer; either end). Raises
    PlannerError for what has no siblings.
    """
    if k == 0:
        return ()
    width = context.extent.towers[address.tower].width(address.part)
    siblings = others(context, address, width, "companions")
    readings = [
        one for one in context.index.entry(address).readings if one.sign == "+" or one.scope != "answer"
    ]
    found = np.mean(
        [_correlations(context.index.sample([address, *siblings], reading)) for reading in readings], axis=0
    )
    return tuple(siblings[place] for place in np.argsort(-found, kind="stable")[:k])


def random_groups(context: ToolContext, group: Sequence[Address], n: int) -> list[tuple[Address, ...]]:
    """`n` groups of equal size from the rest of the site, drawn by the run's seed and the site; where too few are left,
    groups share some.

    Raises PlannerError for what has no siblings, and where nothing of the site is left.
    """
    size = len(group)
    rest = [one for one in others(context, group[0], size * (n + 1), "ablate") if one not in group][
        : size * n
    ]
    if not rest:
        raise PlannerError(
            f"`{group[0]}` with {size - 1} companions is all of `{group[0].site}`: nothing is left to compare with",
            kind="group",
            hint="ask for a smaller `group`",
        )
    return [
        tuple(dict.fromkeys(rest[(first * size + place) % len(rest)] for place in range(size)))
        for first in range(min(n, len(rest)))
    ]


def _correlations(values: Float[np.ndarray, "place component"]) -> Float[np.ndarray, "other"]:
    """Of the first column with each of the others; 0 for one that never varies."""
    known = values[~np.isnan(values).any(axis=1)].astype(np.float64)
    centered = known - known.mean(axis=0)
    lengths = np.linalg.norm(centered, axis=0)
    scaled = centered / np.where(lengths > 0, lengths, np.inf)
    return scaled[:, 0] @ scaled[:, 1:]
