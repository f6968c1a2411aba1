"""What can be drawn of the numbers in a tool's result: histograms, quantities, tables.

Results are told apart by the shape of their fields, never by the tool's name, so that a new tool needs no new page.
A field of another shape is not drawn; the whole result stands in the card's record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from reports.fields import interval_of, is_simple, number_of, rows_of
from reports.leads import is_leads
from reports.plots import Histogram, Measured
from store.records import Quantity, Reading

DRAWN = ("summary", "quantities", "artifacts", "warnings", "cost", "exemplars", "histogram", "pairs")
"""Fields that have their own drawing."""
SAID = ("component", "components", "reading")
"""Fields that a card's head or the page says."""
MOST_ROWS = 30


@dataclass(frozen=True)
class Series:
    """Rows of one measured column with its interval: they share an axis, whose unit is the column's name."""

    unit: str
    rows: tuple[tuple[str, Measured], ...]


@dataclass(frozen=True)
class Table:
    """Rows of a result; `left_out` counts those beyond MOST_ROWS, `series` is what of them can be drawn."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    left_out: int
    series: Series | None = None


def histogram(result: Mapping[str, Any]) -> Histogram | None:
    """None where there is none, or its numbers make no histogram."""
    told = result.get("histogram")
    if not isinstance(told, Mapping):
        return None
    edges = [float(edge) for edge in told.get("edges") or []]
    counts = [int(count) for count in told.get("counts") or []]
    if len(edges) != len(counts) + 1 or not any(counts) or edges[-1] <= edges[0]:
        return None
    return Histogram(tuple(edges), tuple(counts))


def quantities(result: Mapping[str, Any]) -> dict[str, Quantity]:
    """The named numbers of a result."""
    found = {}
    given = result.get("quantities")
    for name, told in given.items() if isinstance(given, Mapping) else ():
        try:
            found[str(name)] = Quantity.model_validate(told)
        except ValidationError:
            continue
    return found


def by_unit(found: Mapping[str, Quantity]) -> dict[str, dict[str, Quantity]]:
    """Quantities that have an interval or a control, grouped so that each group shares an axis."""
    groups: dict[str, dict[str, Quantity]] = {}
    for name, quantity in found.items():
        if quantity.ci is not None or quantity.control is not None:
            groups.setdefault(quantity.unit, {})[name] = quantity
    return groups


def plain(found: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Quantities that are a number and no more."""
    return {name: one for name, one in found.items() if one.ci is None and one.control is None}


def measured(quantity: Quantity) -> Measured:
    return Measured(quantity.value, quantity.ci, quantity.control, quantity.control_ci)


def artifacts(result: Mapping[str, Any]) -> dict[str, str]:
    """Named content hashes."""
    told = result.get("artifacts")
    return {str(name): str(sha) for name, sha in told.items()} if isinstance(told, Mapping) else {}


def tables(result: Mapping[str, Any]) -> Iterator[Table]:
    """Other fields whose value is a list of like rows."""
    for name, told in result.items():
        rows = rows_of(told) if name not in (*DRAWN, *SAID) and not is_leads(told) else []
        columns = tuple(
            key for key in (rows[0] if rows else {}) if all(is_simple(row.get(key)) for row in rows)
        )
        if columns:
            shown = rows[:MOST_ROWS]
            cells = tuple(tuple(row.get(column) for column in columns) for row in shown)
            yield Table(
                name.replace("_", " "), columns, cells, len(rows) - len(shown), _series(columns, shown)
            )


def facts(result: Mapping[str, Any]) -> dict[str, Any]:
    """Other fields that are one plain value and no quantity."""
    told_already = (
        *DRAWN,
        *SAID,
        *(result["quantities"] if isinstance(result.get("quantities"), Mapping) else ()),
    )
    return {
        name.replace("_", " "): told
        for name, told in result.items()
        if name not in told_already and told not in (None, "", [], {}) and is_simple(told)
    }


def reading(result: Mapping[str, Any]) -> Reading | None:
    """The side that was measured."""
    try:
        return Reading.model_validate(result.get("reading"))
    except ValidationError:
        return None


def _series(columns: tuple[str, ...], rows: list[Mapping[str, Any]]) -> Series | None:
    """What stands before a column `ci` is what was measured; the first column of words names the rows."""
    if columns.count("ci") != 1 or columns.index("ci") == 0:
        return None
    column = columns[columns.index("ci") - 1]
    named = next((name for name in columns if all(isinstance(row.get(name), str) for row in rows)), "")
    if not named or not all(
        number_of(row.get(column)) is not None and interval_of(row.get("ci")) for row in rows
    ):
        return None
    drawn = (
        Measured(
            float(row[column]),
            interval_of(row.get("ci")),
            control=number_of(row.get("control")),
            control_ci=interval_of(row.get("control_ci")),
        )
        for row in rows
    )
    return Series(column.replace("_", " "), tuple(zip((str(row[named]) for row in rows), drawn, strict=True)))
