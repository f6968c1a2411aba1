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


def test_a_gate_that_knows_wrong_answers_withholds_them_and_tells_its_error_and_coverage() -> None:
    good, bad = made("red", THING, THING, THING), made("blue", THING, ELSEWHERE, ELSEWHERE)
    found = grounding.gate([good] * 30 + [bad] * 10, seed=1)
    assert found and found.counts == {"tested": (10, 10), "control": (0, 30)}
    told = {name: one.value for name, one in found.numbers.items()}
    assert (told["coverage"], told["error of all"], told["error of those given"]) == (0.75, 0.25, 0.0)
    assert told["attention on the thing"] == 1.0
    assert told["occlusion and silencing"] == pytest.approx(1.0)


def test_a_gate_that_knows_nothing_gives_as_many_wrong_answers_as_it_withholds() -> None:
    kinds = [made(said, THING, peak, peak) for said in ("red", "blue") for peak in (THING, ELSEWHERE)]
    found = grounding.gate(kinds * 10, seed=1)
    assert found and found.counts == {"tested": (10, 20), "control": (10, 20)}


@pytest.mark.parametrize("peak", [THING, ELSEWHERE])
def test_a_gate_that_withholds_everything_or_nothing_is_worth_nothing(peak: int) -> None:
    assert grounding.gate([made("blue", THING, peak, peak)] * 8, seed=1) is None


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
