"""What the oracles' tests share: the oracles themselves, and one lively target for both sides."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.tools.lively import lively
from tools.engine.engine import Engine

ORACLES = ("captum", "nnsight", "sklearn", "transformer_lens")


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    if missing := [name for name in ORACLES if find_spec(name) is None]:
        skip_or_fail("oracles", f"{', '.join(missing)} is not installed (`pip install '.[oracles]'`)")


@pytest.fixture(scope="session")
def llava(llava_folder: Path) -> Engine:
    return Engine(lively(llava_folder))
