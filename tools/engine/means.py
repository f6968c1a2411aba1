"""Reference means: what stands at a site on average, for each class of positions.

By class, so that a component put at its mean still says what it always says at the start, over the picture, in the
question and at the answer. Knows sums; runs nothing.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from tools.targets.adapter import Tap
from tools.targets.batch import CLASSES, Batch


class ClassSums:
    """Sums of a site by class of position, in double precision."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._total = torch.zeros(len(CLASSES), tap.width, dtype=torch.float64)
        self._count = torch.zeros(len(CLASSES), dtype=torch.float64)

    def add(self, values: Float[Tensor, "row position width"], batch: Batch) -> None:
        """Counts in every position that is not padding."""
        classes = batch.classes(self._tap.space)
        real = classes >= 0
        self._total.index_add_(0, classes[real].cpu(), values[real].double().cpu())
        self._count += torch.bincount(classes[real].cpu(), minlength=len(CLASSES))

    def mean(self) -> Float[Tensor, "class width"]:
        """NaN for a class that did not occur."""
        return (self._total / self._count[:, None]).float()
