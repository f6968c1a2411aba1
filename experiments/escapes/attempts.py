"""The attempts: programs that try to get out, by family, as data in `attempts/FAMILY.toml`.

Knows their form, and that a place in capital letters between two `@` is filled in when an attempt is made (such as
`@FILE@`, the path of a file that nobody must read). Knows nothing about how an attempt is seen to have worked.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "attempts"


@dataclass(frozen=True)
class Attempt:
    """One program; `family` is what it tries, `name` how."""

    family: str
    name: str
    source: str

    def filled(self, places: Mapping[str, str]) -> str:
        """The program with real paths, ports and names in it."""
        text = self.source
        for name, value in places.items():
            text = text.replace(f"@{name}@", value)
        return text


def attempts(*families: str) -> list[Attempt]:
    """Every attempt of the families named, or of all."""
    return [
        Attempt(path.stem, name, source.strip("\n") + "\n")
        for path in sorted(FOLDER.glob("*.toml"))
        if not families or path.stem in families
        for name, source in tomllib.loads(path.read_text(encoding="utf-8"))["attempts"].items()
    ]


def about() -> dict[str, str]:
    """What each family tries, in a few words."""
    return {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8"))["about"]
        for path in sorted(FOLDER.glob("*.toml"))
    }
