"""Settings from `maieutic.toml` in the working folder: defaults for options, below flags and environment variables.

Knows which names may stand there; what they mean is said once, at the options (commands/options.py). Secrets are not
among them: they come from the environment only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from store.errors import UserError

FILE = "maieutic.toml"
NAMES = (
    "store",
    "device",
    "dtype",
    "seed",
    "planner",
    "base_url",
    "judge",
    "editor",
    "images",
    "jobs",
    "timeout",
    "retries",
    "describer",
    "prices",
    "programs",
)
"""Options that a settings file may set, for every command that has them."""


def read_settings(folder: Path) -> dict[str, Any]:
    """What `maieutic.toml` in the folder says; {} where there is none. Raises UserError for one that can't be used."""
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(
            f"`{path}` can't be read ({error})", kind="settings", hint="mend it or move it away"
        ) from error
    for name in found:
        if name not in NAMES:
            close = get_close_matches(name, NAMES, n=1)
            hint = f"did you mean `{close[0]}`?" if close else f"it may set {', '.join(NAMES)}"
            raise UserError(f"`{name}` in `{path}` is not a setting", kind="settings", hint=hint)
    return found


def as_defaults(settings: dict[str, Any], outer: Iterable[str], inner: Iterable[str]) -> dict[str, Any]:
    """The settings as defaults of commands and of those below them, in the form that click reads."""
    below = dict.fromkeys(inner, settings)
    return dict.fromkeys(outer, settings | below) if settings else {}
