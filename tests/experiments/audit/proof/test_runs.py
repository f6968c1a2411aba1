"""A small proof from its audit to its figure; audits that are kept are not run again."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.audit.proof.__main__ import fingerprints, plan, worth
from experiments.audit.proof.figure import draw_audits, finding
from experiments.audit.proof.runs import STORE, Planned, Record, audited
from experiments.tableau.drawing import save
from store.database import open_store

PLANNED = Planned("tableau-llava", ("text-dominance",), 342, 8, "tableau:40/24/40")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audits")


@pytest.fixture(scope="module")
def record(folder: Path, committed_weights: Path) -> Record:
    return audited(PLANNED, folder)


def test_a_record_tells_each_finding_with_the_counts_that_it_rests_on(record: Record) -> None:
    assert record["fingerprint"] == fingerprints([PLANNED])["tableau-llava"] and record["forwards"] > 0
    for one in record["findings"]:
        some, n = one["counts"]["tested"]
        baseline = one["counts"].get("baseline", [0, 8])[0]
        assert n == 8 and one["effect"] == pytest.approx((some - baseline) / n)


def test_an_audit_that_is_on_record_is_neither_run_nor_measured_again(folder: Path, record: Record) -> None:
    assert audited(PLANNED, folder) == record
    (folder / PLANNED.file).unlink()
    assert audited(PLANNED, folder)["findings"] == record["findings"]
    with open_store(folder / STORE) as store:
        assert len(store.queries.runs()) == 1


def test_what_audits_are_worth_is_drawn_with_its_finding_as_the_title(record: Record, tmp_path: Path) -> None:
    told = worth([record, {**record, "seed": 343}], draws=20)
    assert told["found"] is None and told["false"]["all"]["of"] == [0, 2 * len(record["findings"])]
    assert finding(told).startswith(f"0 of {2 * len(record['findings'])} verdicts are false findings")
    save(draw_audits(told), tmp_path / "audits.png")
    assert (tmp_path / "audits.png").stat().st_size > 10_000


def test_both_siblings_are_audited_with_every_seed() -> None:
    seeds = {
        name: [one.seed for one in plan(32, 96, 64, [1, 2, 3]) if one.target == name]
        for name in ("tableau-llava-shortcut", "tableau-llava-balanced")
    }
    assert set(map(tuple, seeds.values())) == {(1, 2, 3)}
