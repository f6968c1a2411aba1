"""Maps of the committed model's answers are made by its training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.registry import open_target
from experiments.worlds import open_world
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
