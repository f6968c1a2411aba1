"""Scores of heat maps: do they name the tokens that matter, and do they lie on the thing that is meant?

Pure functions of maps, masks and effects. Deletion and insertion after Petsiuk et al. 2018, SaCo after Wu et al. 2024,
Obj-, Func- and F1-IoU after Li et al. 2025 ("TAM") with Otsu's threshold, the pointing game after Zhang et al. 2018.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

GROUPS = 10
"""Groups of tokens that SaCo compares, and steps of deletion and insertion."""


def ranked_groups(heat: Float[np.ndarray, "token"], groups: int = GROUPS) -> list[list[int]]:
    """The tokens from the hottest to the coldest (ties in their order), in groups as equal as can be."""
    order = np.argsort(-heat, kind="stable")
    return [part.tolist() for part in np.array_split(order, min(groups, len(order)))]


def saco(salience: ArrayLike, effects: ArrayLike) -> float:
    """How faithfully salience orders groups by effect, from −1 to 1; about 0 for a map that knows nothing.

    Over all pairs of groups, sum of ±(difference of salience) through the sum of its sizes: minus where the more
    salient group has the smaller effect, else plus, so that equal effects agree with every order (algorithm 1 of the
    paper, and its authors' program): a model that does not look at the picture gives every map 1, shuffled ones too. A
    map without differences, which the paper leaves open, has 0.
    """
    heat, effect = np.asarray(salience, dtype=np.float64), np.asarray(effects, dtype=np.float64)
    if heat.shape != effect.shape or heat.ndim != 1:
        raise ValueError(f"one effect for each group, got {heat.shape} and {effect.shape}")
    more = heat[:, None] - heat[None, :]
    weight = np.maximum(more, 0)
    agrees = np.where(effect[:, None] >= effect[None, :], 1.0, -1.0)
    return float((weight * agrees).sum() / weight.sum()) if weight.sum() > 0 else 0.0


def area(curve: ArrayLike) -> float:
    """Area under a curve over equal steps from 0 to 1, by trapezoids: of deletion (lower is better) or insertion."""
    heights = np.asarray(curve, dtype=np.float64)
    if heights.ndim != 1 or len(heights) < 2:
        raise ValueError(f"a curve needs at least two points, got {heights.shape}")
    return float((heights[1:] + heights[:-1]).mean() / 2)


def otsu(values: ArrayLike) -> float:
    """The value above which Otsu 1979 puts the foreground: the cut with the largest variance between its sides.

    A map without differences has no foreground: its own value.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64).ravel())
    if ordered[0] == ordered[-1]:
        return float(ordered[0])
    below = np.arange(1, len(ordered))
    sums = ordered.cumsum()
    low = sums[:-1] / below
    high = (sums[-1] - sums[:-1]) / (len(ordered) - below)
    apart = below * (len(ordered) - below) * (high - low) ** 2
    apart[ordered[1:] == ordered[:-1]] = -1.0
    return float(ordered[int(apart.argmax())])


def object_iou(
    heat: Float[np.ndarray, "*place"], mask: Bool[np.ndarray, "*place"], threshold: float | None = None
) -> float:
    """Overlap of what is hotter than the threshold (None: Otsu's) with the mask; 0 where both are empty."""
    hot = heat > (otsu(heat) if threshold is None else threshold)
    union = int((hot | mask).sum())
    return float((hot & mask).sum() / union) if union else 0.0


def function_iou(heat: Float[np.ndarray, "*place"], threshold: float) -> float:
    """Share of a map that is rightly cold, below the threshold, for a word that names nothing in the picture.
    `threshold` is the mean one of the maps of words that do (Otsu's)."""
    return float((heat < threshold).mean())


def f1_iou(object_: float, function: float) -> float:
    """Harmonic mean of a collection's mean Obj-IoU and mean Func-IoU; 0 where both are 0."""
    return 2 * object_ * function / (object_ + function) if object_ + function > 0 else 0.0


def pointing(heat: Float[np.ndarray, "*place"], mask: Bool[np.ndarray, "*place"]) -> float:
    """1 where the hottest place lies in the mask, 0 where it does not; the share of equally hot ones that do."""
    return float(mask[heat == heat.max()].mean())
