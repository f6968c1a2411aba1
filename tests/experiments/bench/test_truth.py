"""A bench is an ordinary workplace under a fingerprint of its own; its run describes every component with a truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agent.decision import Abstention
from agent.planner import Choice
from agent.thread import ThreadView
from experiments.bench.truth import Bench, measure, set_up
from experiments.registry import open_target
from experiments.workplace import Workplace
from store.address import parse
from store.database import Store, open_store
from tools.targets.target import Target
from tools.tool import Tool

SMALL = "tableau:12/6/6"


class Silent:
    """A planner that says nothing of anything; the power fails after `patience` decisions."""

    name = "silent"

    def __init__(self, patience: int = 1000) -> None:
        self.patience = patience
        self.decided = 0

    async def decide(self, thread: ThreadView, tools: Sequence[Tool], /) -> Choice:
        if self.decided == self.patience:
            raise RuntimeError("the power fails")
        self.decided += 1
        return Choice(Abstention(reason="Nothing to say."))


@pytest.fixture(scope="module")
def target() -> Target:
    return open_target("tableau-llava-random", "cpu")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.db") as opened:
        yield opened


def bench(store: Store, target: Target, seed: int, cache: Path) -> Bench:
    return set_up(store, target, 5, seed, planted=False, images=SMALL, cache=cache)


def prints(workplace: Workplace) -> tuple[str, Path | None]:
    return workplace.target.fingerprint, workplace.activations.folder


def test_benches_of_different_seeds_never_share_a_fingerprint_or_a_cache(
    store: Store, target: Target, tmp_path: Path
) -> None:
    first, again, other = (prints(bench(store, target, seed, tmp_path).workplace) for seed in (0, 0, 1))
    assert first == again and first[0] != other[0] and first[1] != other[1]
    assert target.fingerprint not in (first[0], other[0])


def test_a_planner_that_says_nothing_finds_nothing_and_claims_nothing(
    store: Store, target: Target, tmp_path: Path
) -> None:
    found = bench(store, target, 0, tmp_path)
    report = measure(found, Silent())
    kinds = report.as_json()["kinds"]
    assert [kinds[kind]["exact"] for kind in ("single", "and", "or")] == [0, 0, 0]
    assert {values["rate"] for values in report.as_json()["false_claims"].values() if values} == {0}
    assert {one.truth.component for one in report.found} == {truth.component for truth in found.truths}
    index = found.workplace.index
    assert index.manifest.fingerprint == found.workplace.target.fingerprint
    dead = {truth.component for truth in found.truths if truth.kind == "dead"}
    assert all(index.entry(parse(t.component)).dead == (t.component in dead) for t in found.truths)


def test_a_bench_that_was_stopped_goes_on_where_it_was(store: Store, target: Target, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the power fails"):
        measure(bench(store, target, 0, tmp_path), Silent(patience=3))
    later = Silent()
    report = measure(bench(store, target, 0, tmp_path), later)
    assert later.decided == 2 and len(report.found) == 5 and len(store.queries.runs()) == 1
