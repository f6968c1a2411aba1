"""What is recorded stays: the database itself refuses to change or delete it, whoever asks."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from store.database import Store
from store.schema import (
    APPEND_ONLY,
    Base,
    DescriptionRow,
    ExperimentRow,
    PaymentRow,
    ScoreRow,
    VerdictRow,
)
from store.views import Payment
from tests.store.records import UNIT, guess, judgement, measure, points, words

TABLES: list[type[Base]] = [ExperimentRow, VerdictRow, ScoreRow, DescriptionRow, PaymentRow]


@pytest.fixture
def full(store: Store, run: str) -> Store:
    """A store with a row in each of the tables that only grow."""
    number = measure(store, run).number
    store.recorder.hypothesis(run, UNIT, 1, guess())
    store.recorder.verdict(run, UNIT, 1, judgement(number))
    store.recorder.description(run, words(f"Fires on red [e{number}]."))
    store.recorder.score(run, UNIT, "pearson", points())
    store.recorder.payment(run, UNIT, Payment(tokens=10, money=None))
    return store


def test_every_table_that_only_grows_is_tried_here() -> None:
    assert {row.__tablename__ for row in TABLES} == set(APPEND_ONLY)


@pytest.mark.parametrize("row", TABLES, ids=lambda row: row.__tablename__)
def test_a_recorded_row_can_not_be_changed(full: Store, row: type[Base]) -> None:
    with pytest.raises(DBAPIError, match="append-only"), full.engine.begin() as connection:
        connection.execute(update(row).values(run="another"))
    assert count(full, row) == 1


@pytest.mark.parametrize("row", TABLES, ids=lambda row: row.__tablename__)
def test_a_recorded_row_can_not_be_deleted(full: Store, row: type[Base]) -> None:
    with pytest.raises(DBAPIError, match="append-only"), full.engine.begin() as connection:
        connection.execute(delete(row))
    assert count(full, row) == 1


def test_a_recorded_row_can_not_be_replaced(full: Store) -> None:
    if full.engine.dialect.name != "sqlite":
        return  # REPLACE is SQLite's own
    same = select(ExperimentRow.__table__)
    with pytest.raises(DBAPIError, match="append-only"), full.engine.begin() as connection:
        connection.execute(
            insert(ExperimentRow).prefix_with("OR REPLACE").from_select(list(same.selected_columns), same)
        )


def test_no_column_of_the_record_may_be_empty(full: Store) -> None:
    assert not [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.nullable
    ]
    with pytest.raises(DBAPIError), full.engine.begin() as connection:
        connection.execute(text("INSERT INTO experiment (run, thread, step) VALUES ('r', 't', NULL)"))


def test_the_key_of_a_call_is_unique_in_the_database_too(full: Store) -> None:
    columns = [column for column in ExperimentRow.__table__.columns if column.name != "number"]
    with pytest.raises(DBAPIError, match=r"(?i)unique"), full.engine.begin() as connection:
        connection.execute(insert(ExperimentRow).from_select(columns, select(*columns)))
    assert count(full, ExperimentRow) == 1


def count(store: Store, row: type[Base]) -> int:
    with store.engine.connect() as connection:
        return len(connection.execute(select(row)).all())
