"""The demo asks different questions, knows the right answers, and marks the wrong ones so that they show."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.tableau import demo
from experiments.tableau.answers_page import RIGHT_INK, WRONG_INK, Exchange, answers_page
from experiments.tableau.parse import parse
from experiments.tableau.questions import answer
from experiments.tableau.sampler import sample


@pytest.mark.parametrize("seed", range(20))
def test_no_question_stands_twice_and_each_has_its_right_answer(seed: int) -> None:
    scene = sample(seed)
    drawn = demo.draw(scene, np.random.default_rng(seed), each=4)
    assert len({text for text, _ in drawn}) == len(drawn) >= 3
    for text, truth in drawn:
        question = parse(text)
        assert question is not None
        assert answer(question, scene) == truth


@pytest.mark.parametrize(
    ("said", "ink", "absent"), [("yes", RIGHT_INK, WRONG_INK), ("no", WRONG_INK, RIGHT_INK)]
)
def test_an_answers_mark_shows_whether_it_is_right(
    said: str, ink: tuple[int, int, int], absent: tuple[int, int, int]
) -> None:
    page = answers_page([sample(2)], [[Exchange("is there a star ?", said, "yes")]], "one answer")
    shown = {color for _, color in page.getcolors(page.width * page.height) or []}
    assert ink in shown
    assert absent not in shown


def test_the_demo_prints_every_answer_and_writes_its_page(
    llava_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "page.png"
    words = ["demo", "--target", str(llava_folder), "--out", str(out), "--scenes", "3", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", words)
    assert demo.main() == 0
    printed = capsys.readouterr()
    assert f"of {printed.out.count('?')} answers are right" in printed.err
    with Image.open(out) as page:
        assert page.width > 3 * 336


def test_the_demo_without_weights_ends_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["demo", "--target", "tableau-lava"])
    assert demo.main() == 1
    assert capsys.readouterr().err.startswith("Error: `tableau-lava` is neither")
