"""Our folders are plain top-level packages: nothing installed may stand in front of them (design/001)."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

ROOMS = [
    name
    for name in ("agent", "experiments", "prompts", "reports", "store", "tools")
    if (CHECKOUT / name / "__init__.py").is_file()
]
NAMES = ["maieutic", *ROOMS]


@pytest.mark.parametrize("name", NAMES)
def test_no_other_distribution_provides_our_name(name: str) -> None:
    assert set(packages_distributions().get(name, ["maieutic"])) == {"maieutic"}


def test_each_name_resolves_into_the_checkout_from_another_folder(tmp_path: Path) -> None:
    assert strangers(imported_from(tmp_path, NAMES)) == {}


def test_importing_maieutic_puts_its_rooms_before_folders_of_the_same_names(tmp_path: Path) -> None:
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    assert strangers(imported_from(tmp_path, ROOMS)) != {}, "the folders stand in the way of nothing"
    assert strangers(imported_from(tmp_path, NAMES)) == {}


def imported_from(folder: Path, names: list[str]) -> dict[str, str]:
    """Where each name, imported in this order, comes from in a fresh interpreter that searches `folder` as well."""
    program = f"""
import importlib, json, sys
sys.path.append({str(folder)!r})
print(json.dumps({{name: importlib.import_module(name).__file__ for name in {names!r}}}))
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def strangers(found: dict[str, str]) -> dict[str, str]:
    """Names that come from outside the checkout, with their files."""
    return {name: path for name, path in found.items() if not path.startswith(f"{CHECKOUT}/")}
