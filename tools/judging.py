"""Concept judges: how likely a phrase holds in a picture, said by something that sees the picture alone.

Knows the one interface that all judges share; knows nothing about how one of them sees, what it was trained on, or
what its words are. A judge is blind to the model under study: it gets pixels and words, never an activation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Float32
from PIL import Image


class ConceptJudge(Protocol):
    """Anything that can say of pictures, or crops of pictures, whether phrases hold in them."""

    def present(
        self, images: Sequence[Image.Image], phrases: Sequence[str], /
    ) -> Float32[np.ndarray, "image phrase"]:
        """Probability, from 0 (surely not) to 1 (surely), that each phrase holds somewhere in each picture.

        Every entry depends on its own picture and phrase alone, so a matrix may be made in parts and kept. Pictures
        are RGB and may differ in size. Raises UserError when a phrase is not in the judge's language or a picture is
        too small for it.
        """
        ...
