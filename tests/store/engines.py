"""The engines that the store's conformance suite runs on; a further one is one more entry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

ENGINES: dict[str, Callable[[Path], str | Path]] = {"sqlite": lambda folder: folder / "store.db"}
"""From a test's own folder to where a fresh store can be opened, and opened again."""
