"""The commands run unchanged on every family: the index, a label, a question, on folders of untrained models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from experiments.workplace import Workplace
from store.address import parse
from store.database import open_store
from tests.experiments.asked import asks, place
from tests.labelling import IMAGES, Place
from tests.tiny import WORDS, save_blip, save_clip, save_qwen
from tests.tools.lively import lively

SAVED: dict[str, Callable[[Path], Path]] = {"qwen": save_qwen, "blip": save_blip}
SEEDS = {"qwen": 3, "blip": 4}
"""Weights with which an untrained model tells red squares from blue ones."""
LABELLED = {
    "qwen": ("vision.1.head.0",),
    "blip": ("cross.1.head.2", "question.0.mlp.3"),
}


@pytest.fixture(scope="module", params=sorted(SAVED))
def family(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def model(family: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = SAVED[family](tmp_path_factory.mktemp("families") / family)
    target = lively(folder, SEEDS[family])
    if family == "qwen":
        _turned(target.model)
    target.model.save_pretrained(folder)
    return folder


def _turned(model: Any) -> None:
    """A model that took red for blue takes each for what it is."""
    rows = [WORDS.index("red"), WORDS.index("blue")]
    with torch.no_grad():
        model.lm_head.weight[rows] = model.lm_head.weight[rows[::-1]]


@pytest.fixture(scope="module")
def somewhere(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("somewhere")
    return Place(folder, folder / "cache")


def test_a_folder_of_pictures_is_indexed_whatever_their_shapes(model: Path, somewhere: Place) -> None:
    pictures = somewhere.folder / "pictures"
    pictures.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    for number in range(40):
        pixels = rng.integers(0, 255, (32 + number, 64 - number // 2, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(pictures / f"{number}.png")
    judge = somewhere.folder / "judge"
    if not judge.exists():
        save_clip(judge)
    said = somewhere.says("index", str(model), "--images", str(pictures), "--judge", str(judge), "--json")
    assert said.code == 0, said.err
    assert said.json["components"] > 100


def test_components_of_every_tower_are_labelled_or_abstained_from(
    model: Path, family: str, somewhere: Place
) -> None:
    components = LABELLED[family]
    said = somewhere.says(
        "label", str(model), "--components", ",".join(components), "--images", IMAGES, "--json"
    )
    assert said.code == 0, said.err
    found = said.json["descriptions"]
    assert sorted(one["component"] for one in found) == sorted(components)
    assert all(one["status"] in ("verified", "unverified", "abstained") for one in found)
    assert all(one["evidence"] for one in found)


def test_the_same_question_about_heads_is_answered(
    model: Path, family: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Row 3: on both kinds of connector, each head of a cross-attention for itself."""
    folder = tmp_path_factory.mktemp("asked")
    with open_store(folder / "store.db") as store:
        workplace: Workplace = place(store, model, folder / "cache")
        asked = asks(workplace, "which heads carry color?")
        (experiment,) = store.queries.experiments(asked.found.run, "question")
        extent = workplace.adapter.extent()
    heads = [one for one in extent.all() if one.part == "head"]
    assert asked.found.finding.status == "answered", asked.found.finding.reason
    assert 0 < experiment.result["searched"] <= len(heads)
    told = [parse(row.component, extent) for row in asked.found.finding.rows]
    assert told and {one.part for one in told} == {"head"}
    if family == "blip":
        assert {one.tower for one in told} & {"cross", "recall"}
