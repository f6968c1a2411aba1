"""An open store of every engine, and a run in it to write into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Store, open_store
from tests.store.engines import ENGINES
from tests.store.records import TARGET, begin


@pytest.fixture(params=list(ENGINES))
def where(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str | Path:
    """Where a store that does not exist yet can be opened."""
    monkeypatch.delenv("MAIEUTIC_STORE", raising=False)
    monkeypatch.setenv("MAIEUTIC_ARTIFACTS", str(tmp_path / "artifacts"))
    return ENGINES[request.param](tmp_path)


@pytest.fixture
def store(where: str | Path) -> Iterator[Store]:
    with open_store(where, patience=0.2) as opened:
        yield opened


@pytest.fixture
def run(store: Store) -> str:
    """A labelling run on a target that is known."""
    return begin(store, TARGET)
