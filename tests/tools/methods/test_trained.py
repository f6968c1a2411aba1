"""Tools on the committed model, where what must come out is known."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from experiments.registry import open_target
from experiments.workplace import Workplace
from experiments.worlds import open_world
from store.database import open_store
from store.errors import PlannerError
from store.recorder import Turn
from tests.tools.methods.conftest import Caller
from tools.budget import Budget
from tools.context import ToolContext
from tools.door import call

NEURON = "language.5.mlp.7"
"""Of the last layer, whose neurons act at the answer position alone."""


@pytest.fixture(scope="module")
def trained(committed_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToolContext]:
    folder = tmp_path_factory.mktemp("trained")
    target = open_target("tableau-llava", "cpu")
    with open_store(folder / "store.db") as store:
        work = Workplace(store, target, open_world("tableau:48/16/16", target), cache=folder)
        work.register()
        yield work.context(Budget())


@pytest.fixture
def do(trained: ToolContext) -> Caller:
    run = trained.store.recorder.open_run("direct", trained.target.fingerprint, {}, 0, "test")
    calls = count()

    def through_the_door(name: str, **arguments: Any) -> Any:
        return call(trained, Turn(run, "direct", 0, next(calls)), name, arguments)

    return through_the_door


@pytest.fixture(scope="module")
def spoken(trained: ToolContext) -> Iterator[dict[str, str]]:
    """Neurons of the last layer: one writes `red` against other colors, one nothing, one as much of nothing in
    particular."""
    names = {"wired": "language.5.mlp.7", "decoy": "language.5.mlp.8", "stray": "language.5.mlp.9"}
    model = trained.target.model
    weight = model.get_parameter("model.language_model.layers.5.mlp.down_proj.weight")
    norm = model.get_parameter("model.language_model.norm.weight")
    kept = weight.detach().clone()
    tokens = [trained.adapter.token(word) for word in ("red", "blue", "green", "yellow")]
    rows = [model.get_parameter("lm_head.weight")[token].detach() for token in tokens]
    toward = (rows[0] - torch.stack(rows[1:]).mean(0)) * norm.detach()
    stray = torch.randn(len(toward), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        weight[:, 7], weight[:, 8] = 30 * toward / toward.norm(), 0
        weight[:, 9] = 30 * stray / stray.norm()
    yield names
    with torch.no_grad():
        weight.copy_(kept)
    trained.memory.logits.clear()
    trained.memory.margins.clear()


def pushed(do: Caller, component: str, concept: str = "red thing") -> Any:
    reading = {"sign": "+", "scope": "answer"}
    return do(
        "steer", component=component, concept=concept, reading=reading, kind="color", n=12, most=40
    ).result


def test_what_writes_a_word_is_sufficient_for_it_and_for_no_other(do: Caller, spoken: dict[str, str]) -> None:
    found = pushed(do, spoken["wired"])
    assert found["sufficient"] == "yes", found["summary"]
    assert found["quantities"]["beyond_directions"]["ci"][0] > 1
    assert found["cost"]["forwards"] <= 100
    assert pushed(do, spoken["wired"], "blue thing")["sufficient"] == "no"


def test_an_equally_strong_random_direction_is_not_sufficient(do: Caller, spoken: dict[str, str]) -> None:
    found = pushed(do, spoken["stray"])
    assert found["sufficient"] != "yes", found["summary"]
    assert found["quantities"]["kl"]["value"] > 0.03


def test_what_fires_and_writes_nothing_is_not_sufficient(do: Caller, spoken: dict[str, str]) -> None:
    with pytest.raises(PlannerError, match="answers hardly follow it"):
        pushed(do, spoken["decoy"])


@pytest.fixture
def cut(trained: ToolContext) -> Iterator[str]:
    """A neuron whose output row is taken away: it fires, and nothing comes of it."""
    weight = trained.target.model.get_parameter("model.language_model.layers.5.mlp.down_proj.weight")
    kept = weight.detach().clone()
    with torch.no_grad():
        weight[:, 7] = 0
    yield NEURON
    with torch.no_grad():
        weight.copy_(kept)


def test_the_first_layers_stream_carries_a_color_to_the_answer(do: Caller) -> None:
    found = do("patch", component="language.0.resid", concept="red thing", change="swap", n=8).result
    assert found["quantities"]["denoising"]["value"] == pytest.approx(1, abs=1e-3)
    assert found["quantities"]["gap"]["value"] > 3


def test_a_neuron_that_nothing_reads_is_called_unused_where_its_site_matters(do: Caller, cut: str) -> None:
    result = do("ablate", component=cut, kinds=["color", "counting"], mode="zero", n=12).result
    assert result["unused"] == "yes"
    assert all(kind["drop"] == pytest.approx(0, abs=1e-4) for kind in result["kinds"])
    assert max(kind["site"] for kind in result["kinds"]) > 0.1
    assert result["kinds"][0]["accuracy"] > 0.8


def test_the_lens_says_the_right_color_in_the_last_layers(trained: ToolContext, do: Caller) -> None:
    asked = [number for number in range(48) if trained.images.asked(number).kind == "color"]
    result = do("logit_lens", images=asked).result
    right = [trained.images.asked(number).answer for number in asked]
    assert sum(said == word for said, word in zip(result["answers"], right, strict=True)) >= len(asked) - 1
    first, last = result["layers"][0], result["layers"][-1]
    assert last["probability"] > 0.8 > first["probability"]


def test_an_added_thing_moves_some_neuron_more_than_chance(do: Caller) -> None:
    found = do("make_pairs", component="vision.2.mlp.10", concept="dark background", n=8).result
    assert found["quantities"]["effect"]["ci"][0] > 0
    assert found["rejected"] + found["refused"] < 20 and len(found["pairs"]) >= 4
