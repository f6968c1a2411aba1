"""Power of the audit's rule: nothing is rarely found, a great deal nearly always, five points are left open."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.audit.proof.power import power


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, float], dict[str, Any]]:
    return {(one["design"], one["gap"]): one for one in power(160, 11, draws=60)}


@pytest.mark.parametrize("design", ["same pictures", "four arms"])
def test_what_is_not_there_is_not_found_and_what_is_great_is(
    rows: dict[tuple[str, float], dict[str, Any]], design: str
) -> None:
    assert rows[design, 0.0]["found"] <= 0.02 and rows[design, 0.2]["found"] >= 0.9
    assert rows[design, 0.05]["refuted"] <= 0.15 < rows[design, 0.05]["open"]


def test_pictures_compared_with_themselves_find_more(
    rows: dict[tuple[str, float], dict[str, Any]],
) -> None:
    assert rows["same pictures", 0.1]["found"] > rows["four arms", 0.1]["found"]


def test_verdicts_share_out_all_draws(rows: dict[tuple[str, float], dict[str, Any]]) -> None:
    assert all(
        sum(one[name] for name in ("found", "open", "refuted")) == pytest.approx(1) for one in rows.values()
    )
