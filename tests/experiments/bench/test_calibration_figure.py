"""The figure's title says whether confidence is too high, too low or right, from numbers and intervals alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.bench.calibration_figure import draw_calibration, finding
from experiments.scoring.calibration import Calibration, Outcome
from experiments.tableau.drawing import save

EDGES = [0.05, 0.25, 0.5, 0.75, 0.95]


def made(said: list[float], true: list[bool]) -> Calibration:
    rows = zip(said, true, strict=True)
    return Calibration(("abc",), ("builtin",), tuple(Outcome("a", p, came, came) for p, came in rows), {})


def sample(power: float) -> Calibration:
    rng = np.random.default_rng(0)
    p = np.repeat(EDGES, 40)
    return made((p**power).tolist(), (rng.random(len(p)) < p).tolist())


@pytest.mark.parametrize(
    ("power", "start"),
    [
        (1.0, "Confidence comes true as far as can be told: "),
        (0.3, "Confidence is too high: "),
        (3.0, "Confidence is too low: "),
    ],
)
def test_the_title_says_which_way_confidence_errs(power: float, start: str) -> None:
    assert finding(sample(power).as_json()).startswith(start)


def test_errors_that_cancel_are_not_called_right() -> None:
    turned = made([0.2] * 50 + [0.8] * 50, [True] * 40 + [False] * 10 + [False] * 40 + [True] * 10)
    assert finding(turned.as_json()).startswith(
        "Confidence is right on average and wrong in places: 50% of 100"
    )


def test_the_figure_shows_every_series_beside_the_diagonal_and_names_n(tmp_path: Path) -> None:
    figure = draw_calibration(sample(3.0).as_json())
    left, right = figure.axes
    labels = [text.get_text() for text in right.get_yticklabels()]
    assert [label.partition("\n")[0] for label in labels] == [
        "confidence as given",
        "after the map fitted on select",
    ]
    error = sample(3.0).reliabilities()["confidence"].error
    assert f"ECE {error.value:.3f} [{error.low:.3f}, {error.high:.3f}], n = 200" in labels[0]
    assert np.asarray(left.lines[0].get_xydata()).tolist() == [[0, 0], [1, 1]]
    caption = figure._supxlabel.get_text()  # type: ignore[attr-defined]  # matplotlib has no public name for it
    assert "n = 200" in caption and "Brier" in caption
    save(figure, tmp_path / "calibration.png")
    assert (tmp_path / "calibration.png").read_bytes().startswith(b"\x89PNG")
