"""Scores of a run whose judge costs money or time: each component's judge sees a sample of the test pictures.

Which pictures depends on the component's own values, the wanted number and the seed alone, so that a run that was
killed scores the same when it comes back. The phrases that may become the control are found on the part of the sample
that all components share. ρ is what is drawn for; rates over the few active pictures of a sample have intervals that
are too narrow where they come out near 0 or 1. Knows nothing about how a score is made of weights (protocol.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from experiments.scoring.judged import Judged
from experiments.scoring.protocol import MOSTLY, PRIMARY, Scored, Subject, score
from tools.scoring.bootstrap import DRAWS
from tools.scoring.correction import benjamini_hochberg
from tools.scoring.importance import chances, draw, even_part

FREQUENT = 3
"""Most frequent phrases that are judged beside each component's words: one of them is the control."""


def score_sampled(
    subjects: Sequence[Subject],
    values: Float[np.ndarray, "stimulus subject"],
    judged: Judged,
    *,
    wanted: int,
    vocabulary: Sequence[str] = (),
    planner_judge: str = "",
    others: Sequence[float] = (),
    draws: int = DRAWS,
    seed: int = 0,
) -> list[Scored]:
    """What `score` gives where the judge sees about `wanted` stimuli for each subject, those on which it is most unlike
    itself above all. q is p corrected over all subjects and `others`."""
    frequent = most_frequent(vocabulary, judged, wanted, seed)
    found = []
    for place, subject in enumerate(subjects):
        own = values[:, [place]]
        shown = np.where(np.isfinite(own).all(), own[:, 0], 0.0)
        found += score(
            [subject],
            own,
            judged,
            vocabulary=frequent,
            planner_judge=planner_judge,
            sample=draw(chances(shown, wanted), seed),
            draws=draws,
            seed=seed,
        )
    q = benjamini_hochberg([*(1.0 if one.pearson.p is None else one.pearson.p for one in found), *others])
    return [
        replace(one, scores={**one.scores, PRIMARY: one.pearson.model_copy(update={"q": float(q[place])})})
        for place, one in enumerate(found)
    ]


def most_frequent(vocabulary: Sequence[str], judged: Judged, wanted: int, seed: int) -> list[str]:
    """The FREQUENT phrases that hold in most stimuli but not in nearly all, on what all subjects' samples share."""
    part = judged.part(even_part(len(judged), wanted, seed).rows)
    part.prepare(vocabulary)
    share = {phrase: float(part.column(phrase).mean()) for phrase in vocabulary if part.knows(phrase)}
    usable = [phrase for phrase, often in share.items() if 0 < often <= MOSTLY]
    return sorted(usable, key=lambda phrase: -share[phrase])[:FREQUENT]
