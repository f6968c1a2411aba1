"""Maps of the committed model's answers are made by its training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.registry import open_target
from experiments.worlds import open_world
from tests.labelling import IMAGES, Place
from tools.engine.engine import Engine
from tools.relevance.gradient import relevancy
from tools.relevance.subject import Subject, mean_token, subject
from tools.stimuli import Stimulus
from tools.targets.sites import EMBED


@pytest.fixture(scope="module")
def engine(committed_weights: Path) -> Engine:
    return Engine(open_target("tableau-llava", "cpu"))


@pytest.fixture(scope="module")
def stimuli(engine: Engine) -> list[Stimulus]:
    """Questions about colors."""
    return open_world("tableau:24/8/8", engine.target).train.ask("color", 8, 0)


@pytest.fixture(scope="module")
def one(engine: Engine, stimuli: list[Stimulus]) -> Subject:
    return subject(engine, stimuli[0], mean_token(engine.mean(EMBED, stimuli)))


def test_random_weights_give_another_relevancy(engine: Engine, one: Subject) -> None:
    """Adebayo et al. 2018: a map that stayed as it is would be the picture's, not the model's."""
    other = Engine(open_target("tableau-llava-random", "cpu"))
    again = relevancy(other, subject(other, one.stimulus, one.empty))
    assert np.corrcoef(relevancy(engine, one), again)[0, 1] < 0.3


def test_maps_of_words_that_name_nothing_are_scored_from_the_command_line(
    committed_weights: Path, tmp_path: Path
) -> None:
    """A description of the picture begins with `a`. Attention from the answer is hardly another for another word."""
    place = Place(tmp_path, tmp_path / "cache")
    words = ("-s", "concept=red", "-s", "method=attention", "-s", "n=4", "--images", IMAGES, "--json")
    said = place.says("run", "relevance", *words)
    assert said.code == 0, said.err
    result = said.json["result"]
    found = result["quantities"]
    assert found["func_iou"]["n"] == found["obj_iou"]["n"] == 4
    assert 0 <= found["func_iou"]["value"] <= 1 and 0 < found["func_iou"]["control"] < 1
    object_, function = found["obj_iou"]["value"], found["func_iou"]["value"]
    assert found["f1_iou"]["value"] == pytest.approx(2 * object_ * function / (object_ + function))
    assert {one["hollow_word"] for one in result["maps"]} == {"a"} and all(
        one["hollow"] for one in result["maps"]
    )
