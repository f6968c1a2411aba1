"""One workplace of function units for all tests of the rest of the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.scoring.rest.sealed import Sealed
from experiments.workplace import Workplace
from store.database import open_store
from tests.experiments.scoring.rest import known


@pytest.fixture(scope="session")
def place(committed_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    folder = tmp_path_factory.mktemp("rest")
    with open_store(folder / "store.db") as store:
        yield known.workplace(store, folder / "cache")


@pytest.fixture(scope="session")
def sealed(place: Workplace) -> Sealed:
    return known.sealed(place)
