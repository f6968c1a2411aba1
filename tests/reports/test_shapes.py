"""What is drawn of a result is found by the shape of its fields; other shapes are left to the record."""

from __future__ import annotations

from typing import Any

import pytest

from reports import exhibits, shapes
from reports.plots import Measured
from store.records import Experiment, Reading


def test_exemplars_come_by_tail_in_reading_order() -> None:
    rows = [{"key": tail, "value": 1, "image": "a", "tail": tail} for tail in ("bottom", "odd", "top")]
    assert list(exhibits.exemplars({"exemplars": rows})) == ["top", "bottom", "odd"]


def test_a_picture_that_stands_alone_in_a_field_is_an_exemplar() -> None:
    shown = exhibits.exemplars({"picture": {"key": "made/1", "value": 2.0, "image": "a"}, "before": None})
    assert shown["picture"][0].value == 2.0


@pytest.mark.parametrize("name", ["with", "with_"])
def test_a_pair_has_two_sides_and_a_change(name: str) -> None:
    row = {"without": "a", name: "b", "a_without": 0.5, "a_with": 2.0, "changed": "painted red", "clean": 1.5}
    pair = exhibits.pairs({"concept": "red", "pairs": [row]})[0]
    assert (pair.concept, pair.before.image, pair.after.image, pair.change) == ("red", "a", "b", 1.5)
    assert pair.more == {"clean": 1.5}


def test_a_column_before_its_interval_is_drawn_with_its_control() -> None:
    rows = [
        {"kind": "color", "n": 96, "drop": 0.4, "ci": [0.3, 0.5], "control": 0.1, "control_ci": [0.0, 0.2]}
    ]
    (table,) = shapes.tables({"kinds": rows})
    assert table.series is not None and table.series.unit == "drop"
    assert table.series.rows == (("color", Measured(0.4, (0.3, 0.5), 0.1, (0.0, 0.2))),)


def test_a_long_table_says_how_much_it_leaves_out() -> None:
    (table,) = shapes.tables({"phrases": [{"phrase": str(i), "n": i} for i in range(100)]})
    assert (len(table.rows), table.left_out) == (shapes.MOST_ROWS, 100 - shapes.MOST_ROWS)


@pytest.mark.parametrize(
    "told",
    [
        None,
        "words",
        {"edges": [0, 1]},
        {"edges": [0, 1], "counts": [0]},
        {"edges": [1, 1], "counts": [3]},
        {"edges": [0, 1, 2], "counts": [3]},
    ],
)
def test_what_is_no_histogram_is_not_drawn(told: Any) -> None:
    assert shapes.histogram({"histogram": told}) is None


@pytest.mark.parametrize("told", [None, 3, "words", [1, 2], {"a": 1}, [{"a": {"b": 1}}]])
def test_fields_of_no_known_shape_break_nothing(told: Any) -> None:
    result = {
        "exemplars": told,
        "pairs": told,
        "histogram": told,
        "artifacts": told,
        "odd": told,
        "reading": told,
    }
    assert exhibits.pairs(result) is not None and exhibits.exemplars(result) is not None
    assert list(shapes.tables(result)) == []
    assert shapes.artifacts(result) is not None and shapes.facts(result) is not None


def test_the_strip_shows_the_described_side() -> None:
    sides = {sign: Reading.model_validate({"sign": sign}) for sign in ("+", "-")}
    experiments = [
        experiment(
            number, {"reading": side.model_dump(), "exemplars": [{"key": sign, "image": "a", "value": 1}]}
        )
        for number, (sign, side) in enumerate(sides.items())
    ]
    assert [one.key for one in exhibits.strip(experiments, sides["-"], 8)] == ["-"]
    assert [one.key for one in exhibits.strip(experiments, None, 8)] == ["+"]


def experiment(number: int, result: dict[str, Any]) -> Experiment:
    return Experiment(
        number=number,
        run="r",
        thread="t",
        step=0,
        call=number,
        tool="top_exemplars",
        arguments={},
        seed=0,
        fingerprint="f",
        code="c",
        result=result,
    )
