"""Lively targets and their engines, one for the session: no test changes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny import save_llava_next
from tests.tools.lively import lively
from tools.engine.engine import Engine


@pytest.fixture(scope="session")
def llava(llava_folder: Path) -> Engine:
    return Engine(lively(llava_folder))


@pytest.fixture(scope="session")
def clip(clip_folder: Path) -> Engine:
    return Engine(lively(clip_folder))


@pytest.fixture(scope="session")
def llava_next(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(lively(save_llava_next(tmp_path_factory.mktemp("models") / "tiny-llava-next")))


@pytest.fixture(params=["llava", "llava_next", "clip"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each family in turn: a new one passes by being added here."""
    found: Engine = request.getfixturevalue(request.param)
    return found
