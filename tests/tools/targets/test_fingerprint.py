"""A fingerprint follows values: not places, names or number formats."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from tools.targets.fingerprint import configuration, fingerprint
from tools.targets.load import load_target


def test_it_survives_saving_and_loading_elsewhere(llava_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(llava_folder, tmp_path / "copy")
    target = load_target(llava_folder)
    target.model.save_pretrained(tmp_path / "copy")
    assert load_target(tmp_path / "copy").fingerprint == target.fingerprint
    assert len(target.fingerprint) == 64


def test_half_precision_files_give_the_same_model_in_either_precision(
    llava_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(llava_folder, tmp_path / "half")
    half = load_target(llava_folder, dtype="float16")
    half.model.save_pretrained(tmp_path / "half")
    assert load_target(tmp_path / "half", dtype="float32").fingerprint == half.fingerprint


@pytest.mark.parametrize("name", ["lm_head.weight", "model.language_model.layers.1.mlp.down_proj.weight"])
def test_one_changed_weight_changes_it(llava_folder: Path, name: str) -> None:
    model = load_target(llava_folder).model
    before = fingerprint(model)
    with torch.no_grad():
        model.get_parameter(name)[0, 0] += 1e-6
    assert fingerprint(model) != before


def test_a_changed_configuration_changes_it(llava_folder: Path) -> None:
    model = load_target(llava_folder).model
    before = fingerprint(model)
    model.config.vision_feature_layer = -1
    assert fingerprint(model) != before


def test_how_a_model_is_run_does_not_change_it(llava_folder: Path) -> None:
    model = load_target(llava_folder).model
    before = fingerprint(model)
    model.set_attn_implementation("eager")
    model.config.use_cache = False
    assert fingerprint(model) == before


def test_copies_with_other_weights_share_a_configuration(llava_folder: Path) -> None:
    model = load_target(llava_folder).model
    before, whole = configuration(model), fingerprint(model)
    with torch.no_grad():
        model.get_parameter("lm_head.weight")[0, 0] += 1
    assert configuration(model) == before and fingerprint(model) != whole
    model.config.vision_feature_layer = -1
    assert configuration(model) != before
