"""`maieutic doctor`: is everything here that the commands need?"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from experiments.commands.options import JsonFlag, StorePlace
from experiments.commands.output import print_json, print_table
from store.errors import MaieuticError

PACKAGES = ("torch", "transformers", "langgraph", "openai", "pydantic", "sqlalchemy", "pillow")
ROOM = 1 << 30
"""Bytes that should be free where the store lies."""


def doctor(store: StorePlace = "", as_json: JsonFlag = False) -> int:
    """Check packages, devices, embedded weights, the store and the room on its disk."""
    checks = {"packages": _packages, "device": _device, "weights": _weights}
    found = {name: _told(check) for name, check in checks.items()}
    found["store"] = _told(lambda: _store(store))
    good = all(fine for fine, _ in found.values())
    if as_json:
        print_json(
            {"ok": good, "checks": {name: {"ok": fine, "says": says} for name, (fine, says) in found.items()}}
        )
    else:
        print_table(
            ["", "check", "says"],
            [["ok" if fine else "!!", name, says] for name, (fine, says) in found.items()],
        )
    return 0 if good else 1


def _told(check: Callable[[], str]) -> tuple[bool, str]:
    try:
        return True, check()
    except MaieuticError as error:
        return False, f"{error.message}; {error.hint}" if error.hint else error.message
    except PackageNotFoundError as error:
        return False, f"`{error.name}` is not installed; run `make venv`"


def _packages() -> str:
    return ", ".join(f"{name} {version(name)}" for name in PACKAGES)


def _device() -> str:
    import torch

    threads = torch.get_num_threads()
    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {threads} threads"


def _weights() -> str:
    from experiments.registry import EMBEDDED, verify

    for folder in dict.fromkeys(model.folder for model in EMBEDDED.values()):
        verify(folder)
    return f"{len(EMBEDDED)} embedded targets, their files as their cards say"


def _store(where: str) -> str:
    from store.database import open_store
    from store.errors import UserError

    with open_store(where or None) as record:
        runs = len(record.queries.runs())
        free = shutil.disk_usage(Path(record.where).parent).free if Path(record.where).exists() else ROOM
    if free < ROOM:
        raise UserError(
            f"only {free / ROOM:.1f} GiB are free beside `{record.where}`",
            kind="disk",
            hint="make room, or move it",
        )
    return f"{record.where}: {runs} runs"
