"""How many rows run at once, and how much is kept, follow what is free; what comes out does not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from store.address import Tower
from store.errors import UserError
from tests.tools.engine.test_room import room_for
from tests.tools.engine.test_starts import fresh, write
from tests.tools.engine.test_tails import everywhere
from tests.tools.lively import QUESTIONS, asked
from tools.engine import budget
from tools.engine.budget import KEPT, KEPT_SHARE, ROWS, SHARE, kept_bytes, row_bytes, size
from tools.engine.engine import Engine
from tools.engine.free import ASSUMED, available, free_bytes, left
from tools.engine.kept import Kept
from tools.engine.plan import Plan, Row, Scale, Zero

STIMULI = asked(*QUESTIONS)
CPU = torch.device("cpu")
PLANS = {
    "packs": everywhere("mlp.act"),
    "blocks": [write("vision.0.mlp.act", Zero(), unit) for unit in range(9)],
    "patterns": [write("language.0.attn.pattern", Scale(0.5)) for _ in range(9)],
}


def free(monkeypatch: pytest.MonkeyPatch, there: int) -> None:
    monkeypatch.setattr(budget, "free_bytes", lambda _: there)


@pytest.mark.parametrize("rows", PLANS.values(), ids=list(PLANS))
def test_the_same_comes_out_whatever_is_free(
    llava: Engine, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, patterns = Plan(STIMULI, rows), "attn.pattern" in str(rows[0].interventions[0].site)
    towers: tuple[Tower, ...] = ("language",) if patterns else ()
    need = row_bytes(llava.adapter, llava.adapter.batch(STIMULI), towers)
    free(monkeypatch, 1 << 40)
    expected = fresh(llava, kept=1 << 28).run(plan).logits
    for at_once in (1, 3, 5):
        free(monkeypatch, SHARE * need * at_once)
        engine = fresh(llava, kept=1 << 28)
        room = engine.explain(plan).room
        assert room and (room.rows, room.need) == (at_once, need)
        with room_for(engine, 10**9) as passed:
            found = engine.run(plan).logits
        assert max(passed) < len(rows)
        assert (found - expected).abs().max() < 1e-5


def test_no_more_rows_run_at_once_on_a_cpu_than_are_faster(
    llava: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 1 << 40)
    room = fresh(llava).explain(Plan(STIMULI, PLANS["packs"])).room
    assert room and room.rows == ROWS


def test_an_explanation_says_what_a_row_takes_and_what_is_free(
    llava: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 3_210_000_000)
    need = row_bytes(llava.adapter, llava.adapter.batch(STIMULI))
    told = str(fresh(llava).explain(Plan(STIMULI, PLANS["packs"])))
    assert told.endswith(f"the positions of 32 whole rows, of {size(need)} each, while 3.21 GB are free")


def test_a_plan_of_which_no_row_fits_is_refused_before_it_runs_with_what_a_row_takes(
    llava: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, need = Plan(STIMULI, PLANS["packs"]), row_bytes(llava.adapter, llava.adapter.batch(STIMULI))
    free(monkeypatch, need - 1)
    engine = fresh(llava)
    with room_for(engine, 10**9) as passed, pytest.raises(UserError) as refused:
        engine.run(plan)
    assert not passed and refused.value.kind == "memory"
    assert f"takes at least {size(need)}, and {size(need - 1)} are free" in refused.value.message


def test_a_row_that_a_device_has_no_room_for_is_refused_with_what_it_takes(llava: Engine) -> None:
    told = r"at least [\d.]+ kB, and .* are free; torch says: .* 12345 bytes"
    with room_for(llava, 0), pytest.raises(UserError, match=told):
        fresh(llava).run(Plan(STIMULI, PLANS["packs"]))


def test_patterns_are_counted_where_they_are_made(llava: Engine) -> None:
    batch = llava.adapter.batch(STIMULI)
    width, heads = batch.width("language"), llava.adapter.extent().towers["language"].heads
    language: tuple[Tower, ...] = ("language",)
    closed, opened = row_bytes(llava.adapter, batch), row_bytes(llava.adapter, batch, language)
    assert opened - closed >= 3 * 4 * heads * width * width // 4


def test_a_share_of_what_is_free_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, expected in (
        (1 << 40, (1 << 40) // KEPT_SHARE),
        (1 << 30, KEPT),
        (1 << 20, (1 << 20) // SHARE),
    ):
        free(monkeypatch, there)
        assert kept_bytes(CPU) == expected


def test_what_is_kept_is_counted_when_things_come_and_go() -> None:
    shelf = Kept(100)
    for number, length in enumerate((20, 10, 5, 40, 1)):
        shelf.get(number, lambda length=length: torch.zeros(length, dtype=torch.uint8))  # type: ignore[misc]
    assert shelf.bytes == 76 and 0 in shelf
    shelf.get(5, lambda: torch.zeros(70, dtype=torch.uint8))
    assert shelf.bytes == 71 and [number for number in range(6) if number in shelf] == [4, 5]


def test_a_machine_says_what_it_has_free(tmp_path: Path) -> None:
    told = tmp_path / "meminfo"
    told.write_text("MemTotal: 2000 kB\nMemAvailable:    1234 kB\n")
    assert available(told) == 1234 * 1024
    assert free_bytes(CPU) > 0 and (available() or ASSUMED) > 0


def test_a_container_says_what_is_left_to_it(tmp_path: Path) -> None:
    limit, used = tmp_path / "max", tmp_path / "current"
    assert left(limit, used) is None
    limit.write_text("max\n")
    used.write_text("300\n")
    assert left(limit, used) is None
    limit.write_text("1000\n")
    assert left(limit, used) == 700
    (tmp_path / "memory.stat").write_text("anon 100\nactive_file 50\ninactive_file 150\n")
    assert left(limit, used) == 900, "pages of files are given back before anything fails"
    limit.write_text("20\n")
    assert left(limit, used) == 0
