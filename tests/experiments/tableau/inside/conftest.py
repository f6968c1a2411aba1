"""An untrained model of this world, a few questions, and many scenes."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.tableau.balanced import Item, balanced
from experiments.tableau.inside.stimuli import Stimuli, asked
from experiments.tableau.models import new_llava
from experiments.tableau.sampler import sample
from experiments.tableau.scene import Scene


@pytest.fixture(scope="session")
def model() -> Any:
    return new_llava(0).eval()


@pytest.fixture(scope="session")
def items() -> list[Item]:
    return [item for kind in ("color", "relation") for item in balanced(kind, 2, seed=5)]


@pytest.fixture(scope="session")
def batch(items: list[Item]) -> Stimuli:
    return next(iter(asked(items)))


@pytest.fixture(scope="session")
def world() -> list[Scene]:
    return [sample(index, "balanced", stream=12) for index in range(600)]
