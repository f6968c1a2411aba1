"""Does a picture still look like the data: how far what eyes make of it lies from what they make of known pictures.

A Mahalanobis distance to half of the reference pictures, read as a conformal p-value by the other half (Vovk et al.
2005): the share of known pictures that lie at least as far out. Knows embeddings, not what made them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from PIL import Image

from store.errors import UserError

FEWEST = 100
"""Reference pictures below which a p-value of .02 can't come about."""
SHRINK = 0.1
"""Share of the mean variance that is mixed into the covariance, so that it can be inverted."""


@runtime_checkable
class Eyes(Protocol):
    """Something that gives pictures places in a space in which like ones lie close."""

    def embed(self, images: Sequence[Image.Image], /) -> Float[np.ndarray, "image width"]:
        """One row a picture; pictures may differ in size."""
        ...


class Likeness:
    """How usual pictures look beside `references`, at least FEWEST of them. Raises UserError for fewer."""

    def __init__(self, eyes: Eyes, references: Sequence[Image.Image]) -> None:
        if len(references) < FEWEST:
            raise UserError(
                f"{len(references)} pictures are too few to say what the data look like",
                kind="images",
                hint=f"give at least {FEWEST}",
            )
        self.eyes = eyes
        self.references = references

    def p_values(self, images: Sequence[Image.Image]) -> Float[np.ndarray, "image"]:
        """Share of known pictures that look at least as unusual, from 1 / (n + 1) to 1."""
        center, precision, known = self._fitted
        apart = _apart(np.asarray(self.eyes.embed(images), dtype=np.float64), center, precision)
        further = len(known) - np.searchsorted(known, apart, side="left")
        return (1 + further) / (1 + len(known))

    @cached_property
    def _fitted(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Center and precision of every other reference picture, and the sorted distances of those between."""
        seen = np.asarray(self.eyes.embed(self.references), dtype=np.float64)
        fitted, held = seen[::2], seen[1::2]
        center = fitted.mean(0)
        spread = np.cov(fitted, rowvar=False)
        spread = np.atleast_2d(spread) + SHRINK * np.trace(np.atleast_2d(spread)) / seen.shape[1] * np.eye(
            seen.shape[1]
        )
        precision = np.linalg.inv(spread)
        return center, precision, np.sort(_apart(held, center, precision))


def _apart(
    rows: Float[np.ndarray, "image width"],
    center: Float[np.ndarray, "width"],
    precision: Float[np.ndarray, "width width"],
) -> Float[np.ndarray, "image"]:
    """Squared Mahalanobis distances."""
    off = rows - center
    return np.einsum("iw,wv,iv->i", off, precision, off)
