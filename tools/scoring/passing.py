"""How likely words are to pass the sealed test, by what is known before it: a score on select, its interval, two sizes.

On Fisher's scale, z = atanh ρ (Fisher 1921), a correlation errs with the same spread s wherever it lies. From the
select score z₀ with spread s₀ the true value is z₀ ± s₀ (no prior: no value is likelier beforehand), and the test's z
lies about the true value with spread s₁ = s₀ √(n_select / n_test). The test's 95 % interval reaches 1.96 s₁ below its
z, so that with the bar b on the same scale

    P(z_test − 1.96 s₁ > b) = Φ((z₀ − b − 1.96 s₁) / √(s₀² + s₁²)).

A rounded score stands for every value that is rounded to it, and P is the mean over these. Beating the control is the
same with b = z of the control and, for a difference of two correlations, spreads √2 as wide; both must happen, and
since they happen together, the smaller chance is taken. Knows nothing of what a search does: the best of many scores is
too high, and so is its chance. Nor of the correction across components, which matters where n is small.
"""

from __future__ import annotations

from math import atanh, sqrt
from statistics import NormalDist

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from tools.scoring.intervals import Z95

BAR = 0.3
"""What the lower end of the test's interval must exceed."""
_CERTAIN = 0.999
"""Correlation above which none is told from 1, where z is infinite."""
_PLACES = 21
"""Values that stand for all that are rounded to one."""


def chance_of_passing(
    rho: float,
    ci: tuple[float, float],
    n_select: int,
    n_test: int | None = None,
    *,
    bar: float = BAR,
    control: float = 0.0,
    rounded: float = 0.1,
) -> float:
    """P, from 0 to 1, that the lower 95 % bound of test ρ exceeds `bar`, and test ρ surely that of the control.

    `rho` and its 95 % interval `ci` were measured on `n_select` stimuli and rounded to multiples of `rounded` (0: not
    rounded); the test has `n_test`, by default as many. `control` is the control's ρ. The spread is that of the
    interval, and at least that of normal values (of four, where there are fewer). Raises ValueError when an n is below
    1, `ci` does not hold `rho`, or a correlation lies outside [−1, 1].
    """
    n = n_select if n_test is None else n_test
    if min(n_select, n) < 1:
        raise ValueError(f"a chance needs stimuli on either side, got {n_select} and {n}")
    if not -1 <= ci[0] <= rho <= ci[1] <= 1:
        raise ValueError(f"a correlation lies in its interval, and in [−1, 1]: got {rho} in {ci}")
    values = np.arctanh(_unrounded(rho, rounded))
    low, high = (float(np.arctanh(_unrounded(end, rounded).mean())) for end in ci)
    spread = max((high - low) / (2 * Z95), 1 / sqrt(max(n_select - 3, 1)))
    later = spread * sqrt(n_select / n)
    accurate = _above(values, atanh(bar), spread, later)
    beats = _above(values, float(np.arctanh(_inside(control))), spread * sqrt(2), later * sqrt(2))
    return min(accurate, beats)


def _above(values: Float[np.ndarray, "place"], bar: float, spread: float, later: float) -> float:
    """The chance that the test's lower bound exceeds the bar, all on Fisher's scale; the mean over the values."""
    far = (values - bar - Z95 * later) / sqrt(spread**2 + later**2)
    return float(np.mean([NormalDist().cdf(one) for one in far.tolist()]))


def _unrounded(value: float, width: float) -> Float[np.ndarray, "place"]:
    """Correlations spread evenly over all that are rounded to this one."""
    low, high = max(value - width / 2, -1.0), min(value + width / 2, 1.0)
    return _inside(low + (high - low) * (np.arange(_PLACES) + 0.5) / _PLACES)


def _inside(rho: ArrayLike) -> Float[np.ndarray, "*place"]:
    return np.clip(np.asarray(rho, dtype=np.float64), -_CERTAIN, _CERTAIN)
