"""How the embedded editor is run: steps and guidance as it was measured, and the empty canvas that it knows.

Knows where these are decided (pix2pix.py, triples.py); knows nothing about running a model.
"""

from __future__ import annotations

from experiments.tableau.pix2pix import Guidance
from experiments.tableau.source import painted
from experiments.tableau.triples import CANVAS
from tools.editing.backend import Settings


def drawing_settings() -> Settings:
    """Settings for `tableau-pix2pix`; it learned "draw …" on the plain light background."""
    guidance, corner = Guidance(), painted(CANVAS).getpixel((0, 0))
    assert isinstance(corner, tuple)  # scenes are painted in RGB
    return Settings(
        steps=guidance.steps,
        guidance=guidance.words,
        image_guidance=guidance.picture,
        canvas="#{:02x}{:02x}{:02x}".format(*corner),
    )
