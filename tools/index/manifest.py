"""An index's manifest: which target, which pictures, which form. What it does not match is another index.

Knows names and fingerprints; knows nothing about what is in the arrays.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from store.errors import UserError
from store.records import Model

VERSION = 1
"""Raised when the meaning or layout of the files changes; an index of another version is built anew."""
MANIFEST = "manifest.json"


class Manifest(Model):
    """Written last: a folder without it holds an unfinished index. `stimuli` were streamed out of `available`."""

    version: int = VERSION
    target: str
    fingerprint: str
    images: str
    split: str
    images_fingerprint: str
    available: int
    stimuli: int
    seed: int
    chunk: int
    depth: int
    sample: int
    components: str
    """SHA-256 of the addresses, in order."""

    def differs_from(self, other: Manifest) -> str | None:
        """The first thing that sets the two apart, in words; None when they name the same index."""
        told = {
            "version": "was written in another form",
            "fingerprint": "was made from other weights",
            "images_fingerprint": "was made from other pictures",
            "components": "holds other components",
            "seed": "was made with another seed",
            "stimuli": "was made from another number of stimuli",
        }
        mine, theirs = self.model_dump(), other.model_dump()
        named = {"target", "images", "split"}
        for field in [*told, *(set(mine) - set(told) - named)]:
            if mine[field] != theirs[field]:
                return told.get(field, f"was made with another `{field}`")
        return None


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a finished index. Raises UserError of kind "index" when there is none that can be read."""
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"there is no finished index in `{folder}`", kind="index", hint="run `maieutic index TARGET`"
        ) from None
    except (OSError, ValidationError) as error:
        raise UserError(
            f"the index in `{folder}` can't be read", kind="index", hint="run `maieutic index TARGET --again`"
        ) from error
