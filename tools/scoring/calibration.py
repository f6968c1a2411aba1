"""Whether probabilities come true: reliability bins, expected calibration error, Brier score, a map that mends them.

Pure functions of probabilities and outcomes. The calibration error is never negative, so even true probabilities show
one in a small sample: beside it stands what outcomes drawn from the probabilities themselves would show (Bröcker and
Smith 2007, "consistency resampling"). The map is logistic on log odds (Platt 1999, with his softened targets; shift 0
and slope 1 change nothing). Knows nothing about what the probabilities are of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from store.values import Estimate
from tools.scoring.intervals import bootstrap_mean, wilson

BINS = 10
DRAWS = 2000
_EDGE = 0.01
"""Probabilities are held this far from 0 and 1 before their odds are taken."""
_STEPS = 50
_SLOWEST = 1e-9


class Bin(NamedTuple):
    """Probabilities from `low` up to `high`: their mean, and the share that came true."""

    low: float
    high: float
    said: float
    true: Estimate


class Reliability(NamedTuple):
    """How well probabilities and outcomes agree.

    `gap` is the mean probability minus the share that came true (above 0: too sure); `error` the calibration error,
    and `chance` what 95 % of samples from a perfectly calibrated source stay below; `brier` the mean squared error, and
    `ignorant` that of always saying the share that came true. Intervals are of a bootstrap over outcomes.
    """

    bins: tuple[Bin, ...]
    gap: Estimate
    error: Estimate
    chance: float
    brier: Estimate
    ignorant: float


@dataclass(frozen=True, slots=True)
class OddsMap:
    """Log odds times `slope` plus `shift`; `n` outcomes were fitted. Monotone, since a slope is never negative."""

    slope: float
    shift: float
    n: int

    def __call__(self, said: ArrayLike) -> Float[np.ndarray, "outcome"]:
        return _probability(self.slope * _log_odds(said) + self.shift)


def reliability(said: ArrayLike, true: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> Reliability:
    """What became of probabilities `said`; `true` holds the outcomes, one each.

    Raises ValueError on fewer than two, on numbers outside [0, 1], or where they do not pair up.
    """
    p, came = _paired(said, true)
    chance = np.random.default_rng(seed)
    picked = chance.integers(len(p), size=(draws, len(p)))
    again = _errors(p[picked], came[picked].astype(np.float64))
    fair = _errors(np.tile(p, (draws, 1)), (chance.random((draws, len(p))) < p).astype(np.float64))
    found = float(_errors(p[None], came[None].astype(np.float64))[0])
    low, high = np.quantile(again, [0.025, 0.975]).tolist()
    return Reliability(
        bins=_bins(p, came),
        gap=bootstrap_mean(p - came, seed=seed, draws=draws),
        error=Estimate(found, min(low, found), max(high, found), len(p)),
        chance=float(np.quantile(fair, 0.95)),
        brier=bootstrap_mean((p - came) ** 2, seed=seed, draws=draws),
        ignorant=float(came.mean() * (1 - came.mean())),
    )


def fit_odds_map(said: ArrayLike, true: ArrayLike) -> OddsMap:
    """The map under which the outcomes are likeliest, by Newton's method; equal probabilities stay equal.

    Of one class only, and of probabilities that do not differ, the slope stays 1 and the shift is fitted alone. Targets
    are softened by one imagined outcome of each kind, so that a sample without exceptions makes nobody certain. Raises
    ValueError as `reliability` does.
    """
    p, came = _paired(said, true)
    hits = int(came.sum())
    targets = np.where(came, (hits + 1) / (hits + 2), 1 / (len(p) - hits + 2))
    odds = _log_odds(p)
    free = 0 < hits < len(p) and float(np.ptp(odds)) > 0
    slope, shift = _newton(odds, targets, slope=1.0, free=free)
    if slope < 0:
        slope, shift = _newton(odds, targets, slope=0.0, free=False)
    return OddsMap(slope, shift, len(p))


def _newton(
    odds: Float[np.ndarray, "outcome"], targets: Float[np.ndarray, "outcome"], *, slope: float, free: bool
) -> tuple[float, float]:
    """Slope and shift at the maximum of the likelihood, which has no other; a slope that is not `free` stays."""
    design = np.stack([odds, np.ones_like(odds)], axis=1) if free else np.ones((len(odds), 1))
    fixed = np.zeros_like(odds) if free else slope * odds
    weights = np.zeros(design.shape[1])

    def loss(at: Float[np.ndarray, "weight"]) -> float:
        z = design @ at + fixed
        return float((np.logaddexp(0, z) - targets * z).sum())

    for _ in range(_STEPS):
        now = _probability(design @ weights + fixed)
        curve = design.T @ (design * (now * (1 - now))[:, None]) + 1e-9 * np.eye(len(weights))
        step = np.linalg.solve(curve, design.T @ (targets - now))
        while loss(weights + step) > loss(weights) + 1e-12 and np.abs(step).max() > _SLOWEST:
            step = step / 2
        weights = weights + step
        if np.abs(step).max() < _SLOWEST:
            break
    return (float(weights[0]), float(weights[1])) if free else (slope, float(weights[0]))


def _paired(
    said: ArrayLike, true: ArrayLike
) -> tuple[Float[np.ndarray, "outcome"], Bool[np.ndarray, "outcome"]]:
    p, came = np.asarray(said, dtype=np.float64), np.asarray(true, dtype=np.bool_)
    if p.shape != came.shape or p.ndim != 1 or len(p) < 2:
        raise ValueError(f"probabilities and outcomes pair up, two at least: got {p.shape} and {came.shape}")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("a probability lies between 0 and 1")
    return p, came


def _place(p: Float[np.ndarray, "*shape"]) -> np.ndarray:
    """The bin of each probability; the last one holds 1 as well."""
    return np.minimum((p * BINS + 1e-9).astype(np.intp), BINS - 1)


def _bins(p: Float[np.ndarray, "outcome"], came: Bool[np.ndarray, "outcome"]) -> tuple[Bin, ...]:
    """Those that hold something."""
    place = _place(p)
    return tuple(
        Bin(
            one / BINS,
            (one + 1) / BINS,
            float(p[place == one].mean()),
            wilson(int(came[place == one].sum()), int((place == one).sum())),
        )
        for one in np.unique(place).tolist()
    )


def _errors(
    p: Float[np.ndarray, "draw outcome"], came: Float[np.ndarray, "draw outcome"]
) -> Float[np.ndarray, "draw"]:
    """The calibration error of every draw: |Σ(said − true)| in each bin, summed and shared out among all outcomes."""
    rows = np.arange(len(p))[:, None] * BINS + _place(p)
    sums = np.bincount(rows.ravel(), weights=(p - came).ravel(), minlength=len(p) * BINS)
    return np.abs(sums.reshape(len(p), BINS)).sum(axis=1) / p.shape[1]


def _log_odds(said: ArrayLike) -> Float[np.ndarray, "outcome"]:
    p = np.clip(np.asarray(said, dtype=np.float64), _EDGE, 1 - _EDGE)
    return np.asarray(np.log(p / (1 - p)))


def _probability(odds: Float[np.ndarray, "outcome"]) -> Float[np.ndarray, "outcome"]:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -700, 700))))
