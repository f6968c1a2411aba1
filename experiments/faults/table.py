"""The table of faults as it stands in a page, between two marks; the page's other words are a person's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from experiments.faults.rows import Row
from experiments.faults.trial import COMPONENTS, WAITS

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "faults.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
HEAD = (
    "| fault | how it is injected | exit code | what is recorded | components at the end of that life | resumed |",
    "| --- | --- | --- | --- | --- | --- |",
)
CODES = {-9: "(killed)"}


def written(page: str, rows: Sequence[Row]) -> str:
    """The page with this table. Raises ValueError for a page without the marks."""
    if BEGIN not in page or END not in page:
        raise ValueError("the page has no marks for the table")
    table = "\n".join([BEGIN, *HEAD, *map(line, rows), END])
    return re.sub(f"{BEGIN}.*{END}", lambda _: table, page, flags=re.DOTALL)


def line(row: Row) -> str:
    """One fault."""
    recorded = f"run `{row.status}`" + (f", error `{row.kind}`" if row.kind else "")
    recorded += f": {row.said}" if row.said else ""
    stood = ", ".join(row.components.get(name, WAITS) for name in COMPONENTS)
    resumed = "the same as a calm run" if row.held else f"exit code {row.resumed}; {'; '.join(row.changed)}"
    cells = (row.fault, row.injected, CODES.get(row.code, str(row.code)), recorded, stood, resumed)
    return f"| {' | '.join(map(plain, cells))} |"


def plain(cell: str) -> str:
    """Words that do not end a cell."""
    return " ".join(cell.replace("|", "\\|").split())
