"""Lively targets and their engines, one for the session: no test changes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny import save_blip, save_llava_next, save_qwen
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


@pytest.fixture(scope="session")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(lively(save_qwen(tmp_path_factory.mktemp("models") / "tiny-qwen")))


@pytest.fixture(scope="session")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(lively(save_blip(tmp_path_factory.mktemp("models") / "tiny-blip"), seed=4))


@pytest.fixture(params=["llava", "llava_next", "clip", "qwen", "blip"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each family in turn: a new one passes by being added here."""
    found: Engine = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["llava", "qwen", "blip"])
def seeing(request: pytest.FixtureRequest) -> Engine:
    """Those that answer questions about a picture whose every token is seen in one row."""
    found: Engine = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["llava", "qwen"])
def asking(request: pytest.FixtureRequest) -> Engine:
    """Those whose forward pass goes from a prompt to the answer's logits."""
    found: Engine = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["llava", "llava_next", "qwen", "blip"])
def asked_of(request: pytest.FixtureRequest) -> Engine:
    """Those that give words."""
    found: Engine = request.getfixturevalue(request.param)
    return found
