"""Contested pairs: two sides whose question has different answers, for a phrase or for all answers of a kind.

Knows how many pairs a search needs and that their sides must line up token by token. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from store.errors import PlannerError, UserError
from tools.editing.tally import all_told
from tools.methods.duels import Duel, asks_for_it
from tools.methods.pairing import Made, pairs_for

if TYPE_CHECKING:
    from tools.context import ToolContext

FEWEST = 8
"""Pairs without which half of them would neither rank nor verify."""
EACH = 4
"""Pairs for one answer of a kind, at least."""
ASKED = 48
"""Questions of a kind from which its answers are learned."""


def contested(context: ToolContext, concept: str, n: int) -> Made:
    """Up to `n` pairs: of a phrase by adding it, of a kind of question by swapping as many of each of its answers.

    Raises PlannerError where fewer than FEWEST come about.
    """
    if concept not in context.images.kinds:
        return pairs_for(
            context,
            concept,
            "add",
            n,
            wanted=asks_for_it,
            most=3 * len(context.images),
        )
    words = sorted(
        {
            one.answer
            for one in context.images.ask(concept, ASKED, context.derived_seed("kind", concept) % 1000)
        }
    )
    parts, refusal = list[Made](), ""
    for word in words:
        try:
            parts.append(
                pairs_for(
                    context,
                    word,
                    "swap",
                    max(EACH, -(-n // len(words))),
                    wanted=lambda pair: asks_for_it(pair) and pair.with_.kind == concept,
                    most=3 * len(context.images),
                )
            )
        except (PlannerError, UserError) as error:
            refusal = error.message
    pairs = [pair for part in parts for pair in part.pairs]
    if len(pairs) < FEWEST:
        raise too_few(concept, len(pairs), refusal)
    order = context.random("kind", concept).permutation(len(pairs))[:n]
    return Made(
        [pairs[place] for place in order],
        sum(part.rejected for part in parts),
        sum(part.refused for part in parts),
        found=any(part.found for part in parts),
        tally=all_told([part.tally for part in parts if part.tally is not None]),
    )


def too_few(concept: str, n: int, refusal: str = "") -> PlannerError:
    return PlannerError(
        f"only {n} pairs for `{concept}` have two different answers" + (f" ({refusal})" if refusal else ""),
        kind="pairs",
        hint="choose a concept that questions are asked about, or ask which components read it",
    )


def aligned(context: ToolContext, told: Sequence[Duel]) -> list[Duel]:
    """Those whose two sides have equally many tokens, so that positions mean the same on both."""
    found = []
    for duel in told:
        real = context.adapter.batch([duel.pair.with_, duel.pair.without]).real
        if bool((real[0] == real[1]).all()):
            found.append(duel)
    return found
