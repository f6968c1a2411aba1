"""95 % intervals: Wilson's for a share, the percentile bootstrap for a mean or a median.

Pure functions of their arguments; the bootstrap draws from its seed alone. Wilson 1927, as in Brown, Cai and
DasGupta 2001, eq. 4; the bootstrap resamples whole groups where samples within a group are not independent.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import sqrt

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from store.values import Estimate

Z95 = 1.959963984540054
"""The normal quantile that leaves 2.5 % above it."""

_DRAWS_AT_ONCE = 2_000_000


def wilson(successes: int, n: int) -> Estimate:
    """The share `successes / n` with its interval, which stays inside [0, 1]. Raises ValueError when n is 0."""
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"a share needs 0 <= successes <= n and n >= 1, got {successes} of {n}")
    share = successes / n
    scale = 1 + Z95**2 / n
    center = (share + Z95**2 / (2 * n)) / scale
    half = Z95 * sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2)) / scale
    low = 0.0 if successes == 0 else center - half
    high = 1.0 if successes == n else center + half
    return Estimate(share, low, high, n)


def difference(first: Estimate, second: Estimate) -> Estimate:
    """`first` − `second` of two independent shares; the interval joins Wilson's (Newcombe 1998, method 10).

    `n` is the smaller of the two.
    """
    value = first.value - second.value
    down = sqrt((first.value - first.low) ** 2 + (second.high - second.value) ** 2)
    up = sqrt((first.high - first.value) ** 2 + (second.value - second.low) ** 2)
    return Estimate(value, value - down, value + up, min(first.n, second.n))


def bootstrap_mean(
    values: ArrayLike, groups: Sequence[Hashable] | None = None, *, seed: int = 0, draws: int = 2000
) -> Estimate:
    """The mean of `values` with its percentile interval over `draws` resamples; `n` counts groups.

    `groups[i]` says what `values[i]` belongs to (a scene, say); without it every value stands alone. When all
    groups agree the interval has no width, which says that the sample shows no spread, not that there is none.
    Raises ValueError on fewer than two groups or values that are not finite.
    """
    numbers = np.asarray(values, dtype=np.float64).ravel()
    if not np.isfinite(numbers).all():
        raise ValueError("the mean of values that are not finite is not a number")
    sums, counts = totals(numbers, groups)
    if len(sums) < 2:
        raise ValueError(f"an interval needs at least two independent samples, got {len(sums)}")
    means = _resampled_means(sums, counts, np.random.default_rng(seed), draws)
    low, high = np.quantile(means, [0.025, 0.975])
    mean = float(sums.sum() / counts.sum())
    return Estimate(mean, min(float(low), mean), max(float(high), mean), len(sums))


def bootstrap_difference(
    first: ArrayLike,
    second: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    *,
    seed: int = 0,
    draws: int = 2000,
) -> Estimate:
    """The mean of `first` − `second`, paired value by value, as `bootstrap_mean` of the differences.

    Raises ValueError where the two do not pair up.
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != other.shape:
        raise ValueError(f"values pair up one by one, got {one.shape} and {other.shape}")
    return bootstrap_mean(one - other, groups, seed=seed, draws=draws)


def bootstrap_median(values: ArrayLike, *, seed: int = 0, draws: int = 2000) -> Estimate:
    """The median of `values` with its percentile interval over `draws` resamples.

    Raises ValueError on fewer than two values or values that are not finite.
    """
    numbers = np.asarray(values, dtype=np.float64).ravel()
    if not np.isfinite(numbers).all():
        raise ValueError("the median of values that are not finite is not a number")
    if len(numbers) < 2:
        raise ValueError(f"an interval needs at least two independent samples, got {len(numbers)}")
    random = np.random.default_rng(seed)
    block = max(1, _DRAWS_AT_ONCE // len(numbers))
    medians = [
        np.median(
            numbers[random.integers(len(numbers), size=(min(block, draws - start), len(numbers)))], axis=1
        )
        for start in range(0, draws, block)
    ]
    low, high = np.quantile(np.concatenate(medians), [0.025, 0.975])
    median = float(np.median(numbers))
    return Estimate(median, min(float(low), median), max(float(high), median), len(numbers))


def totals(
    numbers: Float[np.ndarray, "value"], groups: Sequence[Hashable] | None
) -> tuple[Float[np.ndarray, "group"], Float[np.ndarray, "group"]]:
    """Sum and count of each group's values."""
    if groups is None:
        return numbers, np.ones_like(numbers)
    if len(groups) != len(numbers):
        raise ValueError(f"{len(numbers)} values need as many groups, got {len(groups)}")
    index = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    member = np.array([index[group] for group in groups], dtype=np.intp)
    sums = np.bincount(member, weights=numbers, minlength=len(index))
    return sums, np.bincount(member, minlength=len(index)).astype(np.float64)


def _resampled_means(
    sums: Float[np.ndarray, "group"],
    counts: Float[np.ndarray, "group"],
    random: np.random.Generator,
    draws: int,
) -> Float[np.ndarray, "draw"]:
    """Means of resampled groups, a block of draws at a time to bound the memory."""
    size = len(sums)
    block = max(1, _DRAWS_AT_ONCE // size)
    means: list[Float[np.ndarray, "block"]] = []
    for start in range(0, draws, block):
        picked = random.integers(size, size=(min(block, draws - start), size))
        means.append(sums[picked].sum(axis=1) / counts[picked].sum(axis=1))
    return np.concatenate(means)
