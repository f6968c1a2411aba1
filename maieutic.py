"""Maieutic's public face: the `maieutic` command, and `maieutic.Study` for Python.

Importing it puts this checkout first on `sys.path`, so that `tools`, `store` and the other rooms are ours even
where another distribution ships a folder of the same name (design/001).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.study import Study

_checkout = str(Path(__file__).resolve().parent)
if sys.path[:1] != [_checkout]:
    sys.path.insert(0, _checkout)

__all__ = ["Study", "main"]


def __getattr__(name: str) -> Any:
    """`Study` is read when it is asked for: it brings torch, which `import maieutic` must not."""
    if name == "Study":
        from experiments.study import Study

        return Study
    raise AttributeError(f"module `maieutic` has no `{name}`")


def main() -> None:
    """Run the command line and leave with its exit code."""
    # Libraries tell of classes that nobody asked for; what matters at the command is said in our own words.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    from experiments.commands.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
