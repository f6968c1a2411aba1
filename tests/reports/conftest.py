"""Runs on record and their reports, made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from reports.site import write
from store.database import Store, open_store
from tests.reports.filled import fill

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> \"'><b>{{ 7 * 7 }}</b> javascript:alert(3)"


class Written(NamedTuple):
    """A report with the store and run that it was made from."""

    store: Store
    run: str
    front: Path

    @property
    def pages(self) -> list[Path]:
        return [self.front, *sorted((self.front.parent / "components").glob("*.html"))]

    def page(self, address: str) -> str:
        return (self.front.parent / "components" / f"{address}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    """A run with every ending a component can have."""
    yield from _written(tmp_path_factory.mktemp("report"), "")


@pytest.fixture(scope="session")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    """The same with markup and code in the place of every free text."""
    yield from _written(tmp_path_factory.mktemp("hostile"), HOSTILE)


def _written(folder: Path, hostile: str) -> Iterator[Written]:
    with open_store(folder / "store.db") as store:
        run = fill(store, hostile=hostile)
        yield Written(store, run, write(store, run, folder / "out"))
