"""How far apart a component's values are on two piles of pictures, or on the two sides of pairs: effects in sd units.

Pure functions of values. Bootstrap intervals; AUROC as in Mann and Whitney 1947; Student's paired t for p. Not a tool.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from jaxtyping import Float, Int

from store.records import Interval, Quantity
from tools.scoring.intervals import bootstrap_mean
from tools.scoring.student import two_sided

DRAWS = 1000
NORMAL = 1.96
"""Standard errors to either end of a 95 % interval."""


def between(
    present: Float[np.ndarray, "first"],
    absent: Float[np.ndarray, "second"],
    sd: float,
    *,
    seed: int,
) -> Quantity:
    """Mean of `present` − mean of `absent` in units of `sd`; the percentile interval resamples both piles."""
    random = np.random.default_rng(seed)
    difference = (present.mean() - absent.mean()) / sd
    drawn = (_means(present, random) - _means(absent, random)) / sd
    low, high = np.quantile(drawn, [0.025, 0.975])
    ci = (min(float(low), float(difference)), max(float(high), float(difference)))
    return Quantity(value=float(difference), unit="sd", ci=ci, n=len(present) + len(absent))


def auroc(present: Float[np.ndarray, "first"], absent: Float[np.ndarray, "second"]) -> Quantity:
    """Probability that a value of the first pile exceeds one of the second (ties count half), with the interval of
    DeLong et al. 1988; piles that do not overlap have one of no width."""
    above, below = _above(present, absent), 1 - _above(absent, present)
    found = float(above.mean())
    error = sqrt(above.var(ddof=1) / len(present) + below.var(ddof=1) / len(absent))
    return Quantity(
        value=found,
        unit="AUROC",
        ci=(max(0.0, found - NORMAL * error), min(1.0, found + NORMAL * error)),
        n=len(present) + len(absent),
        control=0.5,
    )


def _above(
    values: Float[np.ndarray, "first"], others: Float[np.ndarray, "second"]
) -> Float[np.ndarray, "first"]:
    """For each value the share of the others that it exceeds."""
    ranked = np.sort(others)
    below, upto = (np.searchsorted(ranked, values, side=side) for side in ("left", "right"))
    return (below + upto) / (2 * len(others))


def paired(differences: Float[np.ndarray, "pair"], sd: float, *, seed: int) -> Quantity:
    """Mean of the pairs' differences in units of `sd`, its interval resampled over pairs (at least two)."""
    mean = bootstrap_mean(differences / sd, seed=seed)
    return Quantity(value=mean.value, unit="sd", ci=(mean.low, mean.high), n=mean.n)


def paired_p(differences: Float[np.ndarray, "pair"]) -> float:
    """Two-sided p of "the mean difference is 0" by Student's paired t; uncorrected. 1 for pairs that never differ."""
    n, spread = len(differences), float(differences.std(ddof=1))
    if spread == 0:
        return float(differences.mean() == 0)
    return two_sided(float(differences.mean()) / (spread / sqrt(n)), n - 1)


def with_control(effect: Quantity, controls: Float[np.ndarray, "component"], *, seed: int) -> Quantity:
    """The effect beside the mean size of the same number for others, with the interval of that mean."""
    sizes = np.abs(controls)
    if len(sizes) < 2:
        return effect.model_copy(update={"control": float(sizes.mean()) if len(sizes) else None})
    mean = bootstrap_mean(sizes, seed=seed)
    return effect.model_copy(update={"control": mean.value, "control_ci": (mean.low, mean.high)})


def ratio_of_sums(
    moved: Float[np.ndarray, "set pair"], gaps: Float[np.ndarray, "pair"], seed: int
) -> Quantity:
    """Σ moved / Σ gap over pairs, resampled over pairs, since ratios of single pairs explode where the gap is small.

    The first set is meant; the mean of the others, if there are any, is the control.
    """
    picked = np.random.default_rng(seed).integers(len(gaps), size=(DRAWS, len(gaps)))
    below = gaps[picked].sum(axis=1)
    values = [float(row.sum() / gaps.sum()) for row in moved]
    found = Quantity(
        value=values[0],
        unit="share of the gap",
        ci=_ratio_interval(moved[0], picked, below, values[0]),
        n=len(gaps),
    )
    if len(moved) == 1:
        return found
    control = float(np.mean(values[1:]))
    between = _ratio_interval(moved[1:].mean(axis=0), picked, below, control)
    return found.model_copy(update={"control": control, "control_ci": between})


def _means(values: Float[np.ndarray, "value"], random: np.random.Generator) -> Float[np.ndarray, "draw"]:
    picked = random.integers(len(values), size=(DRAWS, len(values)))
    return values[picked].mean(axis=1)


def _ratio_interval(
    moved: Float[np.ndarray, "pair"],
    picked: Int[np.ndarray, "draw pair"],
    below: Float[np.ndarray, "draw"],
    value: float,
) -> Interval:
    """Percentiles over resamples in which the gap does not vanish, widened to hold the value."""
    sound = below > 0
    low, high = np.quantile(moved[picked].sum(axis=1)[sound] / below[sound], [0.025, 0.975])
    return min(float(low), value), max(float(high), value)
