"""Faithfulness: whether taking hot tokens away costs the answer more than taking cold ones away.

Knows subjects, maps and runs without tokens; the scores themselves are scores.py. All maps of a subject are tried in
one plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from tools.engine.engine import Engine
from tools.relevance.scores import area, ranked_groups, saco
from tools.relevance.subject import Subject, without


class Faithful(NamedTuple):
    """`saco` of groups of tokens by the lead that they cost; `deletion` and `insertion` are areas under the answer's
    probability while tokens go from the hottest on, or come. `salience` and `effects` (logits of the lead) are those
    of the groups, hottest first; `whole` is the effect of all tokens together."""

    saco: float
    deletion: float
    insertion: float
    salience: Float[np.ndarray, "group"]
    effects: Float[np.ndarray, "group"]
    whole: float


def faithful(engine: Engine, subject: Subject, maps: Sequence[Float[np.ndarray, "token"]]) -> list[Faithful]:
    """What each map of the subject is worth."""
    groups = [ranked_groups(heat) for heat in maps]
    everything = list(range(len(subject.visual)))
    sets: list[list[int]] = [[], everything]
    for ranked in groups:
        sets += ranked
        cuts = range(1, len(ranked))
        sets += [list(chain(*ranked[:cut])) for cut in cuts] + [list(chain(*ranked[cut:])) for cut in cuts]
    logits = without(engine, subject, sets)
    leads = subject.leads(logits).double().numpy()
    sure = logits.softmax(-1)[:, subject.said].double().numpy()
    found, at = [], 2
    for heat, ranked in zip(maps, groups, strict=True):
        size = len(ranked)
        effects = leads[0] - leads[at : at + size]
        gone = sure[at + size : at + 2 * size - 1]
        come = sure[at + 2 * size - 1 : at + 3 * size - 2]
        at += 3 * size - 2
        salience = np.array([heat[group].sum() for group in ranked])
        found.append(
            Faithful(
                saco(salience, effects),
                area([sure[0], *gone, sure[1]]),
                area([sure[1], *come, sure[0]]),
                salience,
                effects,
                float(leads[0] - leads[1]),
            )
        )
    return found
