"""Pairs of pictures that differ in one concept: made by the editor, or found where there is none.

The planner's judge chooses which pictures to change and checks what came of it; it is blind to activations, and so is
the editor. Found pairs are nearest neighbours in an embedding that the target has no part in. Not a tool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from store.errors import PlannerError
from store.records import Quantity
from tools.editing.tally import Proving, Tally, tally_of
from tools.methods.neighbours import embedding, nearest
from tools.methods.piles import piles, presence, presence_of
from tools.scoring.retrieval import HOLDS
from tools.stimuli import Change, Inquirer, Pair, Stimulus

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.stimuli import ImageEditor

Direction = Change | Literal["both"]
"""`both`: in one half of the pairs the concept was added, in the other it was removed."""
BLOCK = 32
"""Pictures judged at once."""
TOGETHER = 8
"""Pictures that an editor gets at a time which has to prove its edits."""
FEWEST = 4
"""Pairs without which nothing is said."""


class Made(NamedTuple):
    """Pairs that the judge agrees with; `rejected` counts those that it does not, `refused` pictures that the editor
    could not change in this way. `found`: they were found, not made. `tally` counts the edits of an editor that has to
    prove them."""

    pairs: list[Pair]
    rejected: int
    refused: int
    found: bool
    tally: Tally | None = None

    @property
    def proof(self) -> dict[str, Quantity]:
        """The rate at which edits were proved; nothing for an editor that needs no proof."""
        return {"edits_proved": self.tally.rate} if self.tally is not None and self.tally.edits else {}


def pairs_for(
    context: ToolContext,
    concept: str,
    change: Change,
    n: int,
    *,
    given: str = "",
    skip: int = 0,
    wanted: Callable[[Pair], bool] = lambda pair: True,
    most: int = 600,
) -> Made:
    """Up to `n` pairs of which `wanted` holds, out of at most `most` pictures that are suited, in an order drawn by the
    run's seed and the concept. Where it does not hold, the pair is asked what tells its sides apart, if that is known.
    The judge must see `given`, if anything, on both sides. The first `skip` pairs are left out.

    Raises PlannerError where fewer than FEWEST come about, and UserError for words that editor or judge do not know.
    """
    if context.editor is None:
        return _found(context, concept, n, given, skip, wanted)
    kept: list[Pair] = []
    rejected = refused = tried = 0
    before = tally_of(context.editor)
    for stimulus, pair in _edited(context, context.editor, concept, change, given):
        tried += 1
        if pair is not None and not wanted(pair) and isinstance(context.editor, Inquirer):
            pair = context.editor.telling(pair, context.derived_seed("telling", stimulus.key) % 2**16)
        if pair is None:
            refused += 1
        elif not wanted(pair):
            continue
        elif not _agreed(context, pair, given):
            rejected += 1
        else:
            kept.append(pair)
        if len(kept) >= skip + n or tried >= most:
            break
    kept = kept[skip:]
    if len(kept) < FEWEST:
        raise PlannerError(
            f"only {len(kept)} pairs for `{concept}` by `{change}`{_where(given)} came about ({tried} pictures tried, "
            f"{refused} could not be changed, {rejected} rejected by the judge)",
            kind="pairs",
            hint="try another change (`add`, `remove`, `swap`), a simpler concept or none given",
        )
    after = tally_of(context.editor)
    tally = after.minus(before) if after is not None and before is not None else None
    return Made(kept, rejected, refused, found=False, tally=tally)


def _where(given: str) -> str:
    return f" where `{given}` holds" if given else ""


def _suited(context: ToolContext, concept: str, change: Change, given: str) -> Iterator[Stimulus]:
    """Pictures with their question, in which the concept holds (to remove or swap it) or does not (to add it)."""
    order = context.random("pairs", concept, change).permutation(len(context.images)).tolist()
    for start in range(0, len(order), BLOCK):
        numbers = order[start : start + BLOCK]
        holds = presence_of(context, concept, numbers) >= HOLDS
        suited = holds == (change != "add")
        if given:
            suited &= presence_of(context, given, numbers) >= HOLDS
        for number, suits in zip(numbers, suited, strict=True):
            if suits:
                yield context.images.asked(number)


def _edited(
    context: ToolContext, editor: ImageEditor, concept: str, change: Change, given: str
) -> Iterator[tuple[Stimulus, Pair | None]]:
    """Suited pictures with what the editor makes of each; one that has to prove its edits makes some together."""
    suited = _suited(context, concept, change, given)

    def seed(stimulus: Stimulus) -> int:
        return context.derived_seed("pair", stimulus.key, concept, change) % 2**16

    if isinstance(editor, Proving):
        while stimuli := list(islice(suited, TOGETHER)):
            yield from zip(
                stimuli, editor.pairs(stimuli, concept, change, [*map(seed, stimuli)]), strict=True
            )
    else:
        for stimulus in suited:
            yield stimulus, editor.pair(stimulus, concept, change, seed(stimulus))


def _agreed(context: ToolContext, pair: Pair, given: str) -> bool:
    """Whether the judge sees the concept on the one side and not on the other, and what is given on both."""
    both = [pair.with_, pair.without]
    with_, without = presence(context, pair.concept, both)
    kept = not given or bool((presence(context, given, both) >= HOLDS).all())
    return bool(with_ >= HOLDS > without) and kept


def _found(
    context: ToolContext, concept: str, n: int, given: str, skip: int, wanted: Callable[[Pair], bool]
) -> Made:
    """Pictures with the concept, each beside the picture without it that looks most alike."""
    split = piles(context, concept, max(skip + n, 64))
    present, absent = (_kept(context, given, pile) for pile in (split.present, split.absent))
    alike: list[int] = []
    if present and absent:
        alike = nearest(embedding(context, present), embedding(context, absent)).tolist()
    apart = [
        float(np.linalg.norm(embedding(context, [one]) - embedding(context, [absent[other]])))
        for one, other in zip(present, alike, strict=False)
    ]
    kept: list[Pair] = []
    for place in np.argsort(apart, kind="stable").tolist():
        with_ = context.images.asked(present[place])
        without = context.images.picture(absent[alike[place]])
        same = Stimulus(without.key, without.image, with_.question, "", with_.kind)
        pair = Pair(concept, same, with_, f"found {without.key} beside {with_.key}")
        if wanted(pair):
            kept.append(pair)
        if len(kept) >= skip + n:
            break
    kept = kept[skip:]
    if len(kept) < FEWEST:
        raise PlannerError(
            f"only {len(kept)} pairs for `{concept}`{_where(given)} were found",
            kind="pairs",
            hint="try a more common phrase",
        )
    return Made(kept, 0, 0, found=True)


def _kept(context: ToolContext, given: str, numbers: list[int]) -> list[int]:
    """The pictures in which it holds; all where nothing is given."""
    if not given or not numbers:
        return numbers
    held = presence_of(context, given, numbers) >= HOLDS
    return [number for number, holds in zip(numbers, held, strict=True) if holds]
