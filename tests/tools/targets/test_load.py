"""Targets load from folders in Hugging Face form, offline, or are refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from store.errors import UserError
from tests.tiny import save_llava_next
from tools.targets.load import choose_device, load_target, untrained_target


def refusal(source: Path | str, **options: str) -> UserError:
    with pytest.raises(UserError) as caught:
        load_target(source, **options)
    return caught.value


@pytest.mark.parametrize("family", ["llava", "clip"])
def test_a_folder_loads_by_its_path(family: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(f"{family}_folder")
    target = load_target(folder)
    assert (target.family, target.name, target.dtype) == (family, str(folder), "float32")
    assert not target.model.training


def test_llava_next_loads_as_well(tmp_path: Path) -> None:
    assert load_target(save_llava_next(tmp_path / "next")).family == "llava_next"


def test_half_precision_is_honored(llava_folder: Path) -> None:
    assert load_target(llava_folder, dtype="bfloat16").dtype == "bfloat16"


def test_an_untrained_copy_depends_on_its_seed_alone(llava_folder: Path) -> None:
    torch.manual_seed(7)
    state = torch.get_rng_state()
    first, again, other = (untrained_target(llava_folder, seed=seed, name="x") for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint not in (other.fingerprint, load_target(llava_folder).fingerprint)


def test_another_family_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    error = refusal(tmp_path)
    assert "is a `bert` model" in error.message
    assert "llava" in error.hint


def test_a_folder_without_weights_is_refused(llava_folder: Path, tmp_path: Path) -> None:
    for file in llava_folder.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    assert "can't be loaded as a model" in refusal(tmp_path).message


def test_a_hub_id_that_cannot_be_reached_is_refused_in_one_sentence() -> None:
    error = refusal("nobody/no-such-model")
    assert error.message.startswith("`nobody/no-such-model` can't be loaded as a model")
    assert "\n" not in error.message


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(UserError, match="`cuda:99` is not on this machine"):
        choose_device("cuda:99")
    with pytest.raises(UserError, match="`abacus` is not a device"):
        choose_device("abacus")


def test_an_unknown_number_format_is_refused(llava_folder: Path) -> None:
    assert refusal(llava_folder, dtype="int3").message == "`int3` is not a number format"
