"""The walls between the rooms: imports only point down the list."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

MAY_IMPORT = {
    "store": set(),
    "prompts": set(),
    "tools": {"store", "prompts"},
    "agent": {"tools", "store", "prompts"},
    "reports": {"store"},
    "experiments": {"agent", "reports", "tools", "prompts", "store"},
    "maieutic": {"experiments"},
}
FILES = [
    path
    for room in MAY_IMPORT
    for path in (
        [CHECKOUT / "maieutic.py"] if room == "maieutic" else sorted((CHECKOUT / room).rglob("*.py"))
    )
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_imports_point_down_the_list_of_rooms(path: Path) -> None:
    room = path.relative_to(CHECKOUT).parts[0].removesuffix(".py")
    foreign = {name.partition(".")[0] for name in imports(path)} & ({*MAY_IMPORT, "tests"} - {room})
    assert foreign - MAY_IMPORT[room] == set()


@pytest.mark.parametrize("room", ["store", "tools", "agent", "reports"])
def test_no_room_below_experiments_names_the_embedded_world(room: str) -> None:
    named = [
        path.name for path in (CHECKOUT / room).rglob("*.py") if "tableau" in path.read_text(encoding="utf-8")
    ]
    assert named == []


def imports(path: Path) -> Iterator[str]:
    """Absolute names of everything that a file imports, wherever in the file it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
