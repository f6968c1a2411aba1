"""Words of a command that name folders, as they mean the same from every other folder.

A run remembers them and may be resumed elsewhere. What is no folder here is a name: an embedded model, a hub id, or a
mistake that is refused where it is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments.registry import EDITORS, EMBEDDED


def lasting_target(name: str) -> str:
    """An embedded model goes before a folder of its name."""
    return name if name.partition("@")[0] in EMBEDDED else _folder(name)


def lasting_images(spec: str) -> str:
    """The embedded world goes before a folder of its name."""
    from experiments.worlds import is_tableau

    return spec if is_tableau(spec) else _folder(spec)


def lasting_judge(names: str) -> str:
    """One judge, or two that a comma joins."""
    from experiments.judges import TABLEAU_JUDGE

    parts = (name.strip() for name in names.split(","))
    return ",".join(name if name in (TABLEAU_JUDGE, *EMBEDDED) else _folder(name) for name in parts)


def lasting_editor(name: str) -> str:
    """An embedded editor goes before a folder of its name."""
    return name if name in EDITORS else _folder(name)


LASTING = {
    "target": lasting_target,
    "images": lasting_images,
    "judge": lasting_judge,
    "editor": lasting_editor,
}


def lasting(**words: str) -> dict[str, Any]:
    """Such words of a command by their names, as a run remembers them."""
    return {name: LASTING[name](word) for name, word in words.items()}


def _folder(name: str) -> str:
    path = Path(name).expanduser()
    return str(path.absolute()) if name and path.is_dir() else name
