"""A name means an embedded editor, a diffusers pipeline or an endpoint; what can't edit is refused in a sentence."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from diffusers import StableDiffusionInstructPix2PixPipeline

from experiments.registry import CARD, EDITORS, open_editor
from experiments.tableau.scene import Scene
from experiments.tableau.source import painted
from store.errors import UserError
from tests.tools.editing.pipelines import FEW, tiny
from tools.editing.diffusion import DiffusionModel
from tools.editing.endpoint import EndpointModel


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("editors") / "tiny-pix2pix"
    tiny(StableDiffusionInstructPix2PixPipeline).save_pretrained(path)
    return path


@pytest.fixture
def weights(folder: Path, tmp_path: Path) -> Path:
    """A folder of weights in which a tiny pipeline stands for `tableau-pix2pix`, with its card."""
    place = tmp_path / "weights" / "tableau-pix2pix"
    shutil.copytree(folder, place)
    files = (file for file in place.rglob("*") if file.is_file())
    hashes = {str(file.relative_to(place)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    (place / CARD).write_text(json.dumps({"sha256": hashes}))
    return place.parent


def refusal(name: str, weights: Path | None = None) -> UserError:
    with pytest.raises(UserError) as caught:
        open_editor(name, "cpu", weights=weights)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


def test_a_folder_is_an_editor_under_its_own_name(folder: Path) -> None:
    model = open_editor(str(folder), "cpu", settings=FEW)
    assert isinstance(model, DiffusionModel)
    assert (model.name, model.settings.steps) == (str(folder), 4)


def test_the_embedded_editor_runs_as_it_was_measured(weights: Path) -> None:
    model = open_editor("tableau-pix2pix", "cpu", weights=weights)
    assert (model.name, model.words, model.regions) == ("tableau-pix2pix", "instruction", "never")
    assert model.settings.steps and model.settings.guidance
    assert model.settings.drawing == "draw {}"
    corner = painted(Scene("light")).getpixel((0, 0))
    assert isinstance(corner, tuple)
    assert model.settings.canvas == "#" + bytes(corner).hex()


def test_an_embedded_editor_that_is_not_what_its_card_says_is_refused(weights: Path) -> None:
    (weights / "tableau-pix2pix" / "scheduler" / "scheduler_config.json").write_text("{}")
    assert refusal("tableau-pix2pix", weights).kind == "changed_weights"


def test_an_embedded_editor_that_is_missing_is_told_with_the_fix(tmp_path: Path) -> None:
    assert refusal("tableau-pix2pix", tmp_path).kind == "missing_weights"


def test_a_model_behind_an_endpoint_is_not_asked_before_it_edits() -> None:
    model = open_editor("openai:paint-1", base_url="http://127.0.0.1:9/v1")
    assert isinstance(model, EndpointModel)
    assert model.name == "openai:paint-1"


@pytest.mark.parametrize("name", ["xyzzy", "./nowhere", "a/b/c", "openai:"])
def test_a_name_that_means_nothing_gets_what_may_be_meant(name: str) -> None:
    error = refusal(name)
    assert error.message == f"`{name}` is neither an embedded editor, nor a folder, nor a hub id"
    assert all(f"`{each}`" in error.hint for each in EDITORS)


def test_a_folder_with_another_kind_of_model_is_refused(llava_folder: Path) -> None:
    assert "can't be loaded as an editor" in refusal(str(llava_folder)).message
