"""The committed table of faults names every fault, and every one of them held."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from experiments.faults import endpoint, machine
from experiments.faults.__main__ import RECORD, main
from experiments.faults.rows import Row
from experiments.faults.table import BEGIN, DOCUMENT, END, line, written

ROW = Row("endpoint", "a | fault", "a way", 1, 3, "endpoint", "gone", "partial", {}, 0, "done", [])


def test_the_committed_record_has_a_row_for_every_fault_and_all_of_them_held() -> None:
    told = json.loads(RECORD.read_text(encoding="utf-8"))
    every = {fault.name for fault in (*endpoint.FAULTS, endpoint.REDIRECT)}
    every |= {fault.name for fault in machine.FAULTS}
    assert {row["fault"] for row in told["rows"]} == every and told["faults"] == told["held"] == len(every)
    assert all(Row(**row).held for row in told["rows"])


def test_the_page_has_the_rows_of_the_record() -> None:
    told = json.loads(RECORD.read_text(encoding="utf-8"))
    page = DOCUMENT.read_text(encoding="utf-8")
    assert written(page, [Row(**row) for row in told["rows"]]) == page


def test_some_of_the_faults_never_replace_the_record_of_all(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="a file of their own"):
        main(only="kill", output=RECORD)
    with pytest.raises(typer.BadParameter, match="no fault is called `rust`"):
        main(only="rust", output=tmp_path / "rust.json")
    assert not list(tmp_path.iterdir())


def test_a_table_replaces_what_stood_between_its_marks() -> None:
    page = f"words\n{BEGIN}\nold\n{END}\nmore"
    assert "old" not in written(page, [ROW]) and line(ROW) in written(page, [ROW])
    assert line(ROW).startswith("| a \\| fault | a way | 3 |")
    with pytest.raises(ValueError, match="no marks"):
        written("words", [ROW])
