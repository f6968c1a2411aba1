"""An index's manifest: which target, which pictures, which form. What it does not match is another index.

Knows names and fingerprints; knows nothing about what is in the arrays.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from store.errors import UserError
from store.records import Model
from tools.index.files import replacing

VERSION = 2
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
        raise broken(folder) from error


def broken(folder: Path) -> UserError:
    return UserError(
        f"the index in `{folder}` is broken, or of another version",
        kind="index",
        hint=f"delete `{folder}` and run `maieutic index TARGET`",
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    with replacing(folder / MANIFEST) as file:
        file.write(manifest.model_dump_json(indent=1).encode())
