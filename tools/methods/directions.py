"""Pairs in both directions: as many to which the concept was added as from which it was removed.

An editor leaves traces of its own. Where they lie on the side with the concept in one half of the pairs and on the
side without it in the other, they can't pass for the concept. Knows pairing.py; knows nothing about what is measured.
Not a tool.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from tools.editing.tally import all_told
from tools.methods.pairing import FEWEST, Direction, Made, pairs_for
from tools.stimuli import Pair

if TYPE_CHECKING:
    from tools.context import ToolContext


class Directed(NamedTuple):
    """Pairs; to `added` of them, the first ones, the concept was added, and the others lost it. None: one direction."""

    made: Made
    added: int | None = None


def directed(
    context: ToolContext,
    concept: str,
    direction: Direction,
    n: int,
    *,
    given: str = "",
    skip: int = 0,
    wanted: Callable[[Pair], bool] = lambda pair: True,
    most: int = 600,
) -> Directed:
    """Pairs as `pairs_for` gives them; in both directions n // 2 each, or as many as come about in either, at least
    FEWEST. Found pairs have no direction. Raises as `pairs_for` does.
    """
    if direction != "both" or context.editor is None:
        change = "add" if direction == "both" else direction
        return Directed(
            pairs_for(context, concept, change, n, given=given, skip=skip, wanted=wanted, most=most)
        )
    added, removed = (
        pairs_for(
            context,
            concept,
            change,
            max(FEWEST, n // 2),
            given=given,
            skip=skip // 2,
            wanted=wanted,
            most=most,
        )
        for change in ("add", "remove")
    )
    few = min(len(added.pairs), len(removed.pairs))
    tallies = [one.tally for one in (added, removed) if one.tally is not None]
    made = Made(
        [*added.pairs[:few], *removed.pairs[:few]],
        added.rejected + removed.rejected,
        added.refused + removed.refused,
        found=False,
        tally=all_told(tallies),
    )
    return Directed(made, few)
