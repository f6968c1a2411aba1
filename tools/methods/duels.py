"""Pairs whose question has another answer on either side: what patching needs to see something move.

Knows which token answers each side: the right one where it is known, else what the target says. Not a tool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from store.errors import PlannerError
from tools.methods.pairing import FEWEST, Made
from tools.stimuli import Pair, Stimulus

if TYPE_CHECKING:
    from tools.context import ToolContext


class Duel(NamedTuple):
    """A pair with the tokens of its two answers, and the words."""

    pair: Pair
    with_: int
    without: int
    words: tuple[str, str]


def asks_for_it(pair: Pair) -> bool:
    """Whether the pair's question has another answer on the other side, where answers are known."""
    if not pair.with_.question:
        return False
    known = bool(pair.with_.answer and pair.without.answer)
    return pair.with_.answer != pair.without.answer if known else True


def duels(context: ToolContext, made: Made) -> list[Duel]:
    """Pairs with the tokens of both answers: the right ones where they are known, else what the target says."""
    from tools.engine.plan import Plan, Row

    said: list[int] = []
    stimuli = [side for pair in made.pairs for side in (pair.with_, pair.without)]
    if any(not stimulus.answer for stimulus in stimuli):
        outcome = context.engine.run(Plan(stimuli, [Row(number) for number in range(len(stimuli))]))
        said = outcome.logits.argmax(dim=1).tolist()
    found = []
    for number, pair in enumerate(made.pairs):
        tokens = [
            _token(context, side, said[2 * number + place] if said else None)
            for place, side in enumerate((pair.with_, pair.without))
        ]
        first, second = tokens
        if first is not None and second is not None and first != second:
            words = (_word(context, first), _word(context, second))
            found.append(Duel(pair, first, second, words))
    if len(found) < FEWEST:
        raise PlannerError(
            f"only {len(found)} of {len(made.pairs)} pairs have two different answers of one token",
            kind="pairs",
            hint="choose a concept that questions are asked about, or `make_pairs`, which needs no answers",
        )
    return found


def _token(context: ToolContext, stimulus: Stimulus, said: int | None) -> int | None:
    return context.adapter.token(stimulus.answer) if stimulus.answer else said


def _word(context: ToolContext, token: int) -> str:
    return str(context.target.processor.tokenizer.decode([token])).strip()
