"""Does a concept retrieve the stimuli on which a component is active: AUPRC, F1, IoU and the two conditional rates.

Pure functions of values (larger means more) and presences in [0, 1]. The stimuli with the highest values are the truth
(`active`), the concept is what is judged by it. Every metric takes rows of weights, so that an interval is one more
matrix product. Where nothing is active, or the concept nowhere holds, the score is 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

TOP = 0.05
"""Largest share of stimuli that counts as active; ties with the last of them count too."""
HOLDS = 0.5
"""Presence from which a concept holds, where a metric needs yes or no."""
AT_ONCE = 4_000_000
"""Weights that are added up together: 32 MB."""


def firing_rate(values: Float[np.ndarray, "stimulus component"]) -> Float[np.ndarray, "component"]:
    """Share of stimuli with a value above 0."""
    return (values > 0).mean(axis=0)


def active(values: Float[np.ndarray, "stimulus component"]) -> Bool[np.ndarray, "stimulus component"]:
    """The top α of every component, α = min(5 %, firing rate). A component without differences is nowhere active."""
    top = max(1, int(np.ceil(TOP * len(values))))
    threshold = np.partition(values, len(values) - top, axis=0)[len(values) - top]
    found = (values >= threshold) & (values > 0)
    return found & ~found.all(axis=0)


class Overlap(NamedTuple):
    """Weighted counts of stimuli: active ones on which the concept holds, active ones, ones on which it holds."""

    both: Float[np.ndarray, "draw component"]
    active: Float[np.ndarray, "draw component"]
    holds: Float[np.ndarray, "draw component"]

    @property
    def f1(self) -> Float[np.ndarray, "draw component"]:
        return _share(2 * self.both, self.active + self.holds)

    @property
    def iou(self) -> Float[np.ndarray, "draw component"]:
        return _share(self.both, self.active + self.holds - self.both)

    @property
    def concept_given_active(self) -> Float[np.ndarray, "draw component"]:
        return _share(self.both, self.active)

    @property
    def active_given_concept(self) -> Float[np.ndarray, "draw component"]:
        return _share(self.both, self.holds)


def overlap(
    truth: Bool[np.ndarray, "stimulus component"],
    concepts: Float[np.ndarray, "stimulus component"],
    weights: Float[np.ndarray, "draw stimulus"],
) -> Overlap:
    """What F1, IoU and both conditional rates are made of; `concepts` is cut at HOLDS."""
    yes, holds = truth.astype(np.float64), (concepts >= HOLDS).astype(np.float64)
    return Overlap(weights @ (yes * holds), weights @ yes, weights @ holds)


def auprc(
    truth: Bool[np.ndarray, "stimulus component"],
    concepts: Float[np.ndarray, "stimulus component"],
    weights: Float[np.ndarray, "draw stimulus"],
) -> Float[np.ndarray, "draw component"]:
    """Area under the precision–recall curve as average precision, each column of `concepts` as score of its `truth`.

    Equal scores are one threshold, as in scikit-learn, so a constant concept gets the share of active stimuli.
    """
    found = [
        average_precision(truth[:, column], concepts[:, column], weights) for column in range(truth.shape[1])
    ]
    return np.stack(found, axis=1) if found else np.zeros((len(weights), 0))


def average_precision(
    truth: Bool[np.ndarray, "stimulus"],
    scores: Float[np.ndarray, "stimulus"],
    weights: Float[np.ndarray, "draw stimulus"],
) -> Float[np.ndarray, "draw"]:
    """Only thresholds at which a true stimulus comes in change recall, so no others are looked at.

    What comes in between two of them is added up once, so that attention to many thousand tokens can be scored.
    """
    if not truth.any():
        return np.zeros(len(weights))
    thresholds = np.unique(scores[truth])[::-1]
    enters = np.searchsorted(-thresholds, -scores, side="left")
    every, true = (
        _by_threshold(enters, chosen, len(thresholds)) for chosen in (scores >= thresholds[-1], truth)
    )
    found, block = [], max(1, AT_ONCE // len(scores))
    for start in range(0, len(weights), block):
        drawn = weights[start : start + block]
        retrieved = np.add.reduceat(drawn[:, every.order], every.starts, axis=1).cumsum(axis=1)
        gained = np.add.reduceat(drawn[:, true.order], true.starts, axis=1)
        right = gained.cumsum(axis=1)
        found.append(_share((gained * _share(right, retrieved)).sum(axis=1), right[:, -1]))
    return np.concatenate(found)


class _Entering(NamedTuple):
    """Stimuli in the order of the thresholds at which they come in, and where each threshold's begin."""

    order: Int[np.ndarray, "stimulus"]
    starts: Int[np.ndarray, "threshold"]


def _by_threshold(
    enters: Int[np.ndarray, "stimulus"], chosen: Bool[np.ndarray, "stimulus"], thresholds: int
) -> _Entering:
    places = np.flatnonzero(chosen)
    order = places[np.argsort(enters[places], kind="stable")]
    return _Entering(order, np.searchsorted(enters[order], np.arange(thresholds)))


def _share(
    part: Float[np.ndarray, "*shape"], whole: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """`part / whole`, 0 where there is no whole."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), 0.0)
