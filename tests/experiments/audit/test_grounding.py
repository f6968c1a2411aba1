"""Maps of where an answer comes from, and a gate by them: made maps with known peaks, and one real answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.audit import grounding
from experiments.audit.maps import METHODS, SIDE, Mapped, Placed, mapped
from experiments.tableau.probes.places import alone, unfamiliar
from experiments.tableau.sampler import HELD_OUT
from experiments.workplace import open_workplace
from store.database import open_store
from tools.budget import Budget
from tools.stimuli import Stimulus

THING, ELSEWHERE = 8, 40


def made(said: str, *peaks: int) -> tuple[Placed, Mapped]:
    """A picture whose thing lies in block THING, right answer `red`, with maps that peak where they are told to."""
    mask = np.zeros((112, 112), dtype=bool)
    mask[18:30, 18:30] = True
    maps = {name: np.eye(SIDE * SIDE)[peak] for name, peak in zip(METHODS, peaks, strict=True)}
    return Placed(Stimulus("made", Image.new("RGB", (112, 112)), "?", "red"), mask), Mapped(said, maps)


def test_a_right_answer_comes_from_elsewhere_only_where_both_causal_maps_say_so() -> None:
    items = [
        made("red", ELSEWHERE, THING, ELSEWHERE),
        made("red", THING, ELSEWHERE, ELSEWHERE),
        made("blue", ELSEWHERE, ELSEWHERE, ELSEWHERE),
    ]
    assert grounding.missed(items) == (1, 2)


def test_a_gate_that_knows_wrong_answers_lowers_the_error_and_tells_its_coverage() -> None:
    good, bad = made("red", THING, THING, THING), made("blue", THING, ELSEWHERE, ELSEWHERE)
    found = grounding.gate([good] * 30 + [bad] * 10, seed=1)
    assert found.counts["tested"] == (10, 40) and found.counts["baseline"] == (0, 30)
    assert found.counts["control"] == (10, 40) and found.counts["control baseline"][0] > 0
    assert found.numbers["coverage"].value == pytest.approx(0.75)
    assert found.numbers["attention on the thing"].value == 1.0
    assert found.numbers["occlusion and silencing"].value == pytest.approx(1.0)


def test_a_gate_that_would_withhold_everything_withholds_nothing() -> None:
    found = grounding.gate([made("blue", ELSEWHERE, ELSEWHERE, ELSEWHERE)] * 8, seed=1)
    assert found.counts["baseline"] == (8, 8)


def test_unfamiliar_things_are_of_colors_and_shapes_that_no_training_showed() -> None:
    for one in unfamiliar(4, 321):
        shape = one.stimulus.question.split()[-2]
        assert (one.stimulus.answer, shape) in HELD_OUT and one.mask.any()


def test_the_maps_of_the_only_things_color_peak_on_it(tmp_path: Path, committed_weights: Path) -> None:
    with open_store(tmp_path / "store.db") as store:
        workplace = open_workplace(store, "tableau-llava", images="tableau:40/24/40", device="cpu")
        placed = alone(1, 322)[0]
        seen = mapped(workplace.context(Budget(), index=False), placed)
    assert seen.said == placed.stimulus.answer
    assert seen.inside(placed, "occlusion") and seen.inside(placed, "silencing")
    assert seen.maps["attention"].sum() <= 1.0 and (seen.maps["attention"] >= 0).all()
