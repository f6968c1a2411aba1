"""What each visual token adds to an answer by integrated gradients, for one word against another.

The gradients are tools/relevance/gradient.py; knows which word is explained against which. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.methods.token_ablation import Sight
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from tools.engine.engine import Engine
    from tools.engine.plan import Mean
    from tools.relevance.gradient import Integrated


def token_gradients(
    engine: Engine,
    stimuli: Sequence[Stimulus],
    seen: Sequence[Sight],
    words: Sequence[int],
    mean: Mean,
    rivals: Sequence[int] | None = None,
) -> list[Integrated]:
    """One for each stimulus: of its word's lead over its rival (by default the likeliest other word), from mean tokens
    to the picture's own; steps are raised until the sum misses at most 2 % (gradient.py says where it gives up)."""
    from tools.relevance.gradient import integrated_gradients
    from tools.relevance.subject import Subject, mean_token

    empty = mean_token(mean.means)
    others = (
        rivals if rivals is not None else [_next(one, word) for one, word in zip(seen, words, strict=True)]
    )
    found = []
    for stimulus, sight, said, rival in zip(stimuli, seen, words, others, strict=True):
        lead = float(sight.logits[said] - sight.logits[rival])
        visual = tuple(int(place) for place in sight.places)
        subject = Subject(stimulus, said, rival, lead, float("nan"), visual, empty)
        found.append(integrated_gradients(engine, subject))
    return found


def _next(sight: Sight, word: int) -> int:
    """The likeliest word but this one."""
    first, second = np.argsort(-sight.logits, kind="stable")[:2].tolist()
    return int(second if first == word else first)
