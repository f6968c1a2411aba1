"""The anatomy agrees with the configuration that the tiny models were made from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.tiny import PATCH, SIDE, WORDS, save_llava_next
from tools.targets.answer import encode, prompt
from tools.targets.describe import Sight, Stack, describe
from tools.targets.load import load_target


def test_the_parts_of_a_llava(llava_folder: Path) -> None:
    target = load_target(llava_folder)
    anatomy = describe(target)
    assert anatomy.vision == Stack(layers=3, heads=2, kv_heads=2, width=16, mlp_width=24)
    assert anatomy.language == Stack(layers=2, heads=4, kv_heads=2, width=24, mlp_width=28)
    assert anatomy.sight == Sight(SIDE, PATCH, (2, 2))
    assert (anatomy.visual_tokens, anatomy.connector, anatomy.vocabulary) == (4, (16, 24, 24), len(WORDS))
    assert anatomy.parameters == target.model.num_parameters()


def test_the_visual_tokens_are_the_placeholders_that_the_processor_writes(llava_folder: Path) -> None:
    target = load_target(llava_folder)
    inputs = encode(target, [prompt(target, "what ?", with_image=True)], [Image.new("RGB", (40, 30))])
    placeholders = int((inputs["input_ids"] == WORDS.index("<image>")).sum())
    assert describe(target).visual_tokens == placeholders == 4


@pytest.mark.parametrize(("chosen", "read"), [(-1, 2), (-2, 1), (1, 0), ([1, 3], 2)])
def test_the_last_vision_layer_that_is_read(llava_folder: Path, chosen: int | list[int], read: int) -> None:
    target = load_target(llava_folder)
    target.model.config.vision_feature_layer = chosen
    assert describe(target).vision_layer_read == read


def test_the_parts_of_a_clip(clip_folder: Path) -> None:
    anatomy = describe(load_target(clip_folder))
    assert (anatomy.visual_tokens, anatomy.connector, anatomy.vision_layer_read) == (None, (16, 12), 2)


def test_tiles_leave_the_number_of_visual_tokens_open(tmp_path: Path) -> None:
    assert describe(load_target(save_llava_next(tmp_path / "next"))).visual_tokens is None


def test_an_anatomy_is_plain_json(llava_folder: Path) -> None:
    anatomy = json.loads(json.dumps(describe(load_target(llava_folder)).as_json()))
    assert anatomy["sight"]["grid"] == [2, 2]
    assert anatomy["language"]["layers"] == 2
