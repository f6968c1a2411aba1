"""Pairs of pictures that differ in one concept: made by the editor, or found where there is none.

The planner's judge chooses which pictures to change and checks what came of it; it is blind to activations, and so is
the editor. Found pairs are nearest neighbours in an embedding that the target has no part in. Not a tool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from store.errors import PlannerError
from tools.methods.neighbours import embedding, nearest
from tools.methods.piles import piles, presence, presence_of
from tools.scoring.retrieval import HOLDS
from tools.stimuli import Change, Inquirer, Pair, Stimulus

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.stimuli import ImageEditor

BLOCK = 32
"""Pictures judged at once."""
FEWEST = 4
"""Pairs without which nothing is said."""


class Made(NamedTuple):
    """Pairs that the judge agrees with; `rejected` counts those that it does not, `refused` pictures that the editor
    could not change in this way. `found`: they were found, not made."""

    pairs: list[Pair]
    rejected: int
    refused: int
    found: bool


def pairs_for(
    context: ToolContext,
    concept: str,
    change: Change,
    n: int,
    *,
    wanted: Callable[[Pair], bool] = lambda pair: True,
    most: int = 600,
) -> Made:
    """Up to `n` pairs of which `wanted` holds, out of at most `most` pictures that are suited, in an order drawn by the
    run's seed and the concept. Where it does not hold, the pair is asked what tells its sides apart, if that is known.

    Raises PlannerError where fewer than FEWEST come about, and UserError for words that editor or judge do not know.
    """
    if context.editor is None:
        return _found(context, concept, n, wanted)
    kept: list[Pair] = []
    rejected = refused = tried = 0
    for stimulus in _suited(context, concept, change):
        if len(kept) >= n or tried >= most:
            break
        tried += 1
        pair = _edited(context, context.editor, stimulus, concept, change)
        if pair is not None and not wanted(pair) and isinstance(context.editor, Inquirer):
            pair = context.editor.telling(pair, context.derived_seed("telling", stimulus.key) % 2**16)
        if pair is None:
            refused += 1
        elif not wanted(pair):
            continue
        elif not _agreed(context, pair):
            rejected += 1
        else:
            kept.append(pair)
    if len(kept) < FEWEST:
        raise PlannerError(
            f"only {len(kept)} pairs for `{concept}` by `{change}` came about ({tried} pictures tried, {refused} could "
            f"not be changed, {rejected} rejected by the judge)",
            kind="pairs",
            hint="try another change (`add`, `remove`, `swap`) or a simpler concept",
        )
    return Made(kept, rejected, refused, found=False)


def _suited(context: ToolContext, concept: str, change: Change) -> Iterator[Stimulus]:
    """Pictures with their question, in which the concept holds (to remove or swap it) or does not (to add it)."""
    order = context.random("pairs", concept, change).permutation(len(context.images)).tolist()
    for start in range(0, len(order), BLOCK):
        numbers = order[start : start + BLOCK]
        holds = presence_of(context, concept, numbers) >= HOLDS
        for number, held in zip(numbers, holds, strict=True):
            if held == (change != "add"):
                yield context.images.asked(number)


def _edited(
    context: ToolContext, editor: ImageEditor, stimulus: Stimulus, concept: str, change: Change
) -> Pair | None:
    return editor.pair(
        stimulus, concept, change, context.derived_seed("pair", stimulus.key, concept, change) % 2**16
    )


def _agreed(context: ToolContext, pair: Pair) -> bool:
    """Whether the judge sees the concept on the one side and not on the other."""
    with_, without = presence(context, pair.concept, [pair.with_, pair.without])
    return bool(with_ >= HOLDS > without)


def _found(context: ToolContext, concept: str, n: int, wanted: Callable[[Pair], bool]) -> Made:
    """Pictures with the concept, each beside the picture without it that looks most alike."""
    split = piles(context, concept, max(n, 64))
    alike = nearest(embedding(context, split.present), embedding(context, split.absent))
    apart = np.linalg.norm(
        embedding(context, split.present) - embedding(context, [split.absent[i] for i in alike]), axis=1
    )
    kept: list[Pair] = []
    for place in np.argsort(apart, kind="stable").tolist():
        with_ = context.images.asked(split.present[place])
        without = context.images.picture(split.absent[alike[place]])
        same = Stimulus(without.key, without.image, with_.question, "", with_.kind)
        pair = Pair(concept, same, with_, f"found {without.key} beside {with_.key}")
        if wanted(pair):
            kept.append(pair)
        if len(kept) >= n:
            break
    if len(kept) < FEWEST:
        raise PlannerError(
            f"only {len(kept)} pairs for `{concept}` were found",
            kind="pairs",
            hint="try a more common phrase",
        )
    return Made(kept, 0, 0, found=True)
