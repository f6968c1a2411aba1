"""A name means an embedded model, a folder or a hub id; files that are missing or changed are refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from experiments.registry import CARD, EMBEDDED, open_target, verify
from store.errors import UserError


@pytest.fixture
def weights(llava_folder: Path, tmp_path: Path) -> Path:
    """A folder of weights in which a tiny model stands for `tableau-llava`, with its card."""
    folder = tmp_path / "weights" / "tableau-llava"
    shutil.copytree(llava_folder, folder)
    hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    (folder / CARD).write_text(json.dumps({"sha256": hashes}))
    return folder.parent


def refusal(name: str, weights: Path | None = None) -> UserError:
    with pytest.raises(UserError) as caught:
        open_target(name, "cpu", weights=weights)
    assert "\n" not in caught.value.message
    return caught.value


def test_an_embedded_name_opens_its_folder(weights: Path) -> None:
    target = open_target("tableau-llava", "cpu", weights=weights)
    assert (target.name, target.family) == ("tableau-llava", "llava")


def test_the_untrained_copy_takes_the_configuration_and_none_of_the_weights(weights: Path) -> None:
    trained, first, other = (
        open_target(name, "cpu", seed=seed, weights=weights)
        for name, seed in (("tableau-llava", 5), ("tableau-llava-random", 5), ("tableau-llava-random", 6))
    )
    assert trained.model.config.to_dict().keys() == first.model.config.to_dict().keys()
    assert len({trained.fingerprint, first.fingerprint, other.fingerprint}) == 3


def test_a_folder_needs_no_card(llava_folder: Path) -> None:
    assert open_target(str(llava_folder), "cpu").name == str(llava_folder)


def test_a_misspelled_name_is_put_right() -> None:
    error = refusal("tableau-lava")
    assert error.message == "`tableau-lava` is neither an embedded target, nor a folder, nor a hub id"
    assert error.hint == "did you mean `tableau-llava`?"


def test_a_name_that_resembles_nothing_gets_the_list() -> None:
    assert all(name in refusal("xyzzy").hint for name in EMBEDDED)


@pytest.mark.parametrize("name", ["./models/absent", "/nowhere/at/all", "a/b/c"])
def test_a_path_that_is_no_folder_is_not_looked_up_on_the_hub(name: str) -> None:
    assert refusal(name).kind == "unknown_target"


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    assert refusal(str(tmp_path)).message.endswith("holds no model: it has no `config.json`")


@pytest.mark.parametrize("file", [CARD, "model.safetensors"])
def test_missing_weights_are_named_with_the_fix(weights: Path, file: str) -> None:
    (weights / "tableau-llava" / file).unlink()
    error = refusal("tableau-llava", weights)
    assert error.message.startswith("weights of `tableau-llava` are missing")
    assert file in error.message
    assert "git checkout" in error.hint
    assert "make train" in error.hint


def test_weights_that_the_card_does_not_describe_are_refused(weights: Path) -> None:
    path = weights / "tableau-llava" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    error = refusal("tableau-llava", weights)
    assert error.message == (
        "weights of `tableau-llava` are not the ones that its card describes (`model.safetensors` differs)"
    )
    assert "git checkout" in error.hint


def test_committed_weights_match_their_cards(committed_weights: Path) -> None:
    folders = [path for path in committed_weights.iterdir() if path.is_dir()]
    assert folders
    for folder in folders:
        verify(folder)


def test_a_checkpoint_opens_under_the_name_of_its_model(weights: Path, llava_folder: Path) -> None:
    shutil.copytree(llava_folder, weights / "tableau-llava" / "checkpoints" / "early")
    assert open_target("tableau-llava@early", "cpu", weights=weights).name == "tableau-llava@early"


def test_a_checkpoint_that_is_not_kept_is_refused_with_those_that_are(
    weights: Path, llava_folder: Path
) -> None:
    shutil.copytree(llava_folder, weights / "tableau-llava" / "checkpoints" / "early")
    error = refusal("tableau-llava@late", weights)
    assert error.message == "`tableau-llava` has no checkpoint `late`"
    assert error.hint == "checkpoints: tableau-llava@early"
