"""How well a phrase predicts a unit: chosen on one half of the stimuli, measured on the other, beside untrained copies.

Pure functions of activation matrices. Many phrases are tried for each unit, so even noise finds one that fits; that is
why the choice and the measurement never see the same stimuli, and why the null makes the same search in models that
were never trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from tools.scoring.correlation import correlations
from tools.scoring.presence import Presence

DEAD_SHARE = 0.01
"""A unit is dead when its standard deviation over stimuli is below this share of its site's median one."""
NULL_QUANTILE = 0.95


@dataclass(frozen=True, eq=False)
class Selectivity:
    """Units of one site in one model.

    `label` is each unit's best phrase; `rho` its Pearson correlation on the half that did not choose it, with the sign
    of the half that did, so in [−1, 1] and near 0 for chance finds. `rho_of_class` is the same for the best phrase
    within each class, `chosen_of_class` the strength, from 0 to 1, for which that phrase was chosen. Dead units have 0
    everywhere.
    """

    label: Int[np.ndarray, "unit"]
    rho: Float[np.ndarray, "unit"]
    rho_of_class: Float[np.ndarray, "class unit"]
    chosen_of_class: Float[np.ndarray, "class unit"]
    dead: Bool[np.ndarray, "unit"]


def split(groups: Sequence[object], seed: int) -> Bool[np.ndarray, "stimulus"]:
    """True for the half that chooses; stimuli of one group (same scene) fall into the same half."""
    distinct = list(dict.fromkeys(groups))
    order = np.random.default_rng(seed).permutation(len(distinct))
    chooses = {distinct[index] for index in order[: len(distinct) // 2]}
    return np.array([group in chooses for group in groups], dtype=np.bool_)


def selectivity(
    activations: Float[np.ndarray, "stimulus unit"], presence: Presence, half: Bool[np.ndarray, "stimulus"]
) -> Selectivity:
    """Best phrases of all units; `half` marks the stimuli that choose. `presence` should be `supported(half)`."""
    chosen = correlations(presence.true[:, half], activations[half])
    measured = correlations(presence.true[:, ~half], activations[~half]) * np.sign(chosen)
    spread = activations.std(axis=0)
    dead = spread <= DEAD_SHARE * np.median(spread)
    measured[:, dead] = 0.0
    strength, units = np.abs(chosen), np.arange(chosen.shape[1])
    best = strength.argmax(axis=0)
    of_class, chosen_of_class = np.zeros((2, len(presence.classes), len(units)))
    for index in range(len(of_class)):
        members = np.flatnonzero(presence.class_of == index)
        of_class[index] = measured[members[strength[members].argmax(axis=0)], units]
        chosen_of_class[index] = strength[members].max(axis=0)
    chosen_of_class[:, dead] = 0.0
    return Selectivity(best, measured[best, units], of_class, chosen_of_class, dead)


def null(untrained: Sequence[Selectivity]) -> Float[np.ndarray, "class"]:
    """For each class, the 95th percentile of untrained units' correlation with their best phrase in it."""
    return np.quantile(
        np.concatenate([copy.rho_of_class for copy in untrained], axis=1), NULL_QUANTILE, axis=1
    )


def exceeds(
    units: Selectivity, threshold: Float[np.ndarray, "class"], presence: Presence
) -> Bool[np.ndarray, "unit"]:
    """Whether each unit's best phrase fits it better than the null of that phrase's class; dead units never do."""
    return (units.rho > threshold[presence.class_of[units.label]]) & ~units.dead


def chance(
    copies: Sequence[Selectivity], presence: Presence, least: Float[np.ndarray, "class"] | None = None
) -> Bool[np.ndarray, "unit"]:
    """The same for each copy against the null of the others (and against `least`): the share that means nothing.

    It may lie above 5 %: the best of several classes is compared with the null of one, and few copies make a null that
    knows little of how copies differ. Raises ValueError on fewer than two copies.
    """
    if len(copies) < 2:
        raise ValueError(f"a control needs at least two copies, got {len(copies)}")
    found = []
    for index, copy in enumerate(copies):
        threshold = null([*copies[:index], *copies[index + 1 :]])
        found.append(exceeds(copy, threshold if least is None else np.maximum(threshold, least), presence))
    return np.concatenate(found)
