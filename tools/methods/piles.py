"""Pictures with a phrase and without it, by the planner's judge: piles to compare a component's values on.

Knows the judge and the grammar of combined phrases; knows nothing about components. The judge sees pixels alone. Not
a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from store.errors import PlannerError
from tools.judging import judge_matrix
from tools.scoring.concept import concept_values, phrases
from tools.scoring.retrieval import HOLDS

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.stimuli import Stimulus

BLOCK = 128
"""Pictures judged at once."""
MOST = 2048
"""Pictures judged for one phrase, at most."""
FEWEST = 8
"""Pictures that a pile needs."""


class Piles(NamedTuple):
    """Numbers of pictures in which the phrase holds, and in which it does not; `share` of all judged hold it."""

    present: list[int]
    absent: list[int]
    share: float
    judged: int


def piles(context: ToolContext, concept: str, each: int) -> Piles:
    """Up to `each` pictures of both kinds, drawn by the run's seed and the phrase.

    Raises PlannerError when too few of a kind are found, UserError for words that the judge does not know.
    """
    order = context.random("piles", concept).permutation(len(context.images))[:MOST]
    found: tuple[list[int], list[int]] = ([], [])
    judged = 0
    for start in range(0, len(order), BLOCK):
        numbers = [int(number) for number in order[start : start + BLOCK]]
        held = presence_of(context, concept, numbers)
        judged += len(numbers)
        for number, value in zip(numbers, held, strict=True):
            found[int(value < HOLDS)].append(number)
        if min(map(len, found)) >= each:
            break
    present, absent = found
    if min(len(present), len(absent)) < FEWEST:
        scarce = "holds" if len(present) < FEWEST else "does not hold"
        raise PlannerError(
            f"`{concept}` {scarce} in {min(len(present), len(absent))} of {judged} pictures, too few to compare",
            kind="rare",
            hint="try a phrase that is neither everywhere nor nowhere, or `make_pairs`, which makes its own pictures",
        )
    return Piles(present[:each], absent[:each], len(present) / judged, judged)


def presence(
    context: ToolContext, concept: str, stimuli: Sequence[Stimulus]
) -> Float[np.ndarray, "stimulus"]:
    """Probability that the concept (phrases joined by `|`, `&`, `!`) holds of each stimulus: of pictures by the
    planner's judge, of questions and answers as they are written."""
    words = phrases(concept)
    judged = judge_matrix(context.judge, stimuli, words)
    columns = {word: judged[:, place].astype(np.float64) for place, word in enumerate(words)}
    return concept_values(concept, columns.__getitem__)


def presence_of(context: ToolContext, concept: str, numbers: Sequence[int]) -> Float[np.ndarray, "picture"]:
    """The same for pictures of the planner's split by number; each phrase is judged once in each of them."""
    for word in phrases(concept):
        missing = [number for number in numbers if (word, number) not in context.memory.judged]
        if missing:
            stimuli = [context.images.asked(number) for number in missing]
            found = judge_matrix(context.judge, stimuli, (word,))[:, 0].tolist()
            context.memory.judged.update(zip(((word, number) for number in missing), found, strict=True))
    return concept_values(
        concept,
        lambda word: np.array([context.memory.judged[word, number] for number in numbers], dtype=np.float64),
    )
