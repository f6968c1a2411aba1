"""Boxes find the pixels that a patch was made of, through resize and crop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from tools.targets.boxes import boxes
from tools.targets.describe import Sight

SIGHT = Sight(28, 7, (4, 4))
STRETCH: dict[str, Any] = {"size": {"height": 28, "width": 28}, "do_center_crop": False}
CROP: dict[str, Any] = {
    "size": {"shortest_edge": 28},
    "crop_size": {"height": 28, "width": 28},
    "do_center_crop": True,
}


@pytest.mark.parametrize("steps", [STRETCH, CROP])
@pytest.mark.parametrize(("width", "height"), [(28, 28), (56, 56), (112, 56), (56, 84)])
@pytest.mark.parametrize("token", [0, 6, 15])
def test_a_painted_box_lights_its_own_patch(
    steps: dict[str, Any], width: int, height: int, token: int
) -> None:
    processor = CLIPImageProcessorPil(**steps, resample=0)
    grid = boxes(processor, SIGHT, width, height)
    left, top, right, bottom = grid.boxes[token].round().astype(int)
    picture = np.zeros((height, width, 3), np.uint8)
    picture[top:bottom, left:right] = 255
    seen = processor(Image.fromarray(picture), return_tensors="np")["pixel_values"][0, 0]
    patches = seen.reshape(4, 7, 4, 7).mean((1, 3)).ravel()
    assert int(patches.argmax()) == token
    assert patches[token] == pytest.approx(seen.max(), abs=1e-3)
    assert np.delete(patches, token) == pytest.approx(seen.min(), abs=1e-3)


def test_boxes_of_a_cropped_picture_leave_its_edges_out() -> None:
    grid = boxes(CLIPImageProcessorPil(**CROP), SIGHT, 112, 56)
    assert grid.boxes[:, 0].min() == 28 and grid.boxes[:, 2].max() == 84
