"""Maieutic's public face: the `maieutic` command.

Importing it puts this checkout first on `sys.path`, so that `tools`, `store` and the other rooms are ours even
where another distribution ships a folder of the same name (design/001).
"""

from __future__ import annotations

import sys
from pathlib import Path

_checkout = str(Path(__file__).resolve().parent)
if sys.path[:1] != [_checkout]:
    sys.path.insert(0, _checkout)

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code."""
    from experiments.commands.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
