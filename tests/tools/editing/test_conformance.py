"""What every back end that edits pictures keeps to. A new one passes by being added to BACK_ENDS."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diffusers import (
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
)
from PIL import Image

from tests.tools.editing.images_server import serving
from tests.tools.editing.pipelines import FEW, noise, pixels, squares, tiny, words
from tools.editing.backend import NO_SEEDS, Failed, Made, Outcome, PictureModel, Region, Settings
from tools.editing.diffusion import DiffusionModel
from tools.editing.endpoint import EndpointModel
from tools.editing.kept import Kept

Opened = Callable[[Path], AbstractContextManager[PictureModel]]


def pipeline(kind: Any) -> Opened:
    return lambda folder: nullcontext(DiffusionModel(tiny(kind), settings=FEW))


@contextmanager
def behind_an_endpoint(folder: Path) -> Iterator[PictureModel]:
    with serving() as server:
        yield EndpointModel("paint-1", server.url, settings=Settings(size=64), retries=0)


def kept(folder: Path) -> AbstractContextManager[PictureModel]:
    model = DiffusionModel(tiny(StableDiffusionInpaintPipeline), settings=FEW)
    return nullcontext(Kept(model, folder))


BACK_ENDS: dict[str, Opened] = {
    "instruct": pipeline(StableDiffusionInstructPix2PixPipeline),
    "img2img": pipeline(StableDiffusionImg2ImgPipeline),
    "inpaint": pipeline(StableDiffusionInpaintPipeline),
    "text2img": pipeline(StableDiffusionPipeline),
    "endpoint": behind_an_endpoint,
    "kept": kept,
}
SIZES = ((64, 64), (112, 80), (50, 90), (64, 64))


@pytest.fixture(scope="module", params=BACK_ENDS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PictureModel]:
    with BACK_ENDS[request.param](tmp_path_factory.mktemp("kept")) as opened:
        yield opened


def middle(picture: Image.Image) -> Region:
    """A region that leaves a border out."""
    region = np.zeros((picture.height, picture.width), dtype=bool)
    region[picture.height // 4 : -picture.height // 4, picture.width // 4 : -picture.width // 4] = True
    return region


def edited(model: PictureModel, pictures: list[Image.Image], seeds: list[int] | None = None) -> list[Outcome]:
    """The pictures after some words, with a region where the model needs one."""
    regions = [middle(picture) for picture in pictures] if model.regions == "must" else None
    return model.edit(pictures, words(len(pictures)), seeds or list(range(len(pictures))), regions=regions)


def made(outcome: Outcome) -> Image.Image:
    assert isinstance(outcome, Made), outcome
    return outcome.image


def failed(outcome: Outcome) -> Failed:
    assert isinstance(outcome, Failed), outcome
    return outcome


def test_every_picture_comes_back_in_its_place_and_at_its_size(model: PictureModel) -> None:
    pictures = noise(*SIZES)
    images = [made(outcome) for outcome in edited(model, pictures)]
    assert [(image.mode, image.size) for image in images] == [("RGB", size) for size in SIZES]
    assert all(np.any(pixels(image) != pixels(given)) for image, given in zip(images, pictures, strict=True))


def test_a_picture_that_came_back_at_another_size_says_so(model: PictureModel) -> None:
    notes = [
        outcome.notes if isinstance(outcome, Made) else () for outcome in edited(model, noise((112, 80)))
    ]
    assert any("112×80" in note for note in notes[0])


def test_a_result_hangs_neither_on_its_company_nor_on_its_place(model: PictureModel) -> None:
    pictures = squares(5)
    together = edited(model, pictures, [7, 8, 9, 10, 11])
    regions = [middle(pictures[3])] if model.regions == "must" else None
    alone = model.edit([pictures[3]], [words(4)[3]], [10], regions=regions)
    assert np.array_equal(pixels(made(together[3])), pixels(made(alone[0])))


def test_a_seed_decides_what_is_drawn_and_nothing_else_does(model: PictureModel) -> None:
    if model.settings.seeds == NO_SEEDS:
        assert "no seed" in model.settings.seeds  # it can't be told one, and says so on record
        return
    picture = squares(1) * 3
    regions = [middle(each) for each in picture] if model.regions == "must" else None
    outcomes = model.edit(picture, ["red circle"] * 3, [1, 1, 2], regions=regions)
    first, again, other = (pixels(made(outcome)) for outcome in outcomes)
    assert np.array_equal(first, again)
    assert np.any(first != other)


def test_a_picture_that_is_too_small_fails_alone_and_in_a_sentence(model: PictureModel) -> None:
    outcomes = edited(model, noise((64, 64), (1, 1), (64, 64)))
    assert [type(outcome) for outcome in outcomes] == [Made, Failed, Made]
    assert failed(outcomes[1]).kind == "input"
    assert (
        failed(outcomes[1]).why == "the picture of 1×1 pixels is too small to be edited: both sides need 16"
    )


@pytest.mark.parametrize("mode", ["RGBA", "LA", "L", "1", "P", "CMYK", "I;16"])
def test_pictures_in_other_modes_are_taken_in(model: PictureModel, mode: str) -> None:
    level = Image.fromarray(np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16))
    picture = level if mode == "I;16" else squares(1)[0].convert(mode)
    assert made(edited(model, [picture])[0]).size == (64, 64)
    assert picture.mode == mode


def test_numbers_without_a_scale_are_refused_alone(model: PictureModel) -> None:
    outcomes = edited(model, [Image.new("F", (64, 64), float("nan")), *squares(1)])
    assert failed(outcomes[0]).why.startswith("the picture holds numbers without a scale (mode `F`)")
    made(outcomes[1])


def test_words_that_say_nothing_fail_alone(model: PictureModel) -> None:
    pictures = squares(2)
    regions = [middle(each) for each in pictures] if model.regions == "must" else None
    outcomes = model.edit(pictures, [" ", "red circle"], [1, 2], regions=regions)
    assert failed(outcomes[0]).why.endswith("was given no words")
    made(outcomes[1])
    assert failed(model.generate(["", "red circle"], [1, 2])[0]).kind == "input"


def test_lists_that_do_not_go_together_are_our_own_mistake(model: PictureModel) -> None:
    with pytest.raises(ValueError, match="2 and 1 and 1"):
        model.edit(squares(2), ["red"], [1])
    with pytest.raises(ValueError, match="2 and 1"):
        model.generate(["red", "red"], [1])


def test_nothing_gives_nothing(model: PictureModel) -> None:
    assert model.edit([], [], []) == []
    assert model.generate([], []) == []


def test_outside_of_a_region_not_one_pixel_changes(model: PictureModel) -> None:
    picture = noise((112, 80))[0]
    region = middle(picture)
    outcome = model.edit([picture], ["red circle"], [1], regions=[region])[0]
    if model.regions == "never":
        assert failed(outcome).why.endswith("can't be told where to change a picture: name no region")
        return
    image = pixels(made(outcome))
    assert np.array_equal(image[~region], pixels(picture)[~region])
    assert np.any(image[region] != pixels(picture)[region])


def test_a_region_that_is_needed_is_asked_for(model: PictureModel) -> None:
    outcome = model.edit(squares(1), ["red circle"], [1])[0]
    if model.regions == "must":
        assert failed(outcome).why.endswith("fills a marked region: say which pixels may change")
    else:
        made(outcome)


@pytest.mark.parametrize(
    ("region", "why"),
    [
        (np.ones((10, 20), dtype=bool), "the region of 20×10 pixels does not fit a picture of 64×64"),
        (np.zeros((64, 64), dtype=bool), "the region marks no pixel, so nothing may change"),
    ],
)
def test_a_region_that_can_not_be_meant_is_refused(model: PictureModel, region: Region, why: str) -> None:
    outcome = failed(model.edit(squares(1), ["red circle"], [1], regions=[region])[0])
    assert outcome.kind == "input"
    if model.regions != "never":  # who takes no region says that first
        assert outcome.why == why


def test_pictures_are_drawn_from_words(model: PictureModel) -> None:
    images = [pixels(made(outcome)) for outcome in model.generate(["red circle", "star"], [1, 2])]
    assert images[0].shape == images[1].shape
    assert np.any(images[0] != images[1])


def test_what_is_recorded_can_be_written_down_and_read_again(model: PictureModel) -> None:
    assert Settings.model_validate_json(model.settings.model_dump_json()) == model.settings
    assert re.fullmatch(r"[0-9a-f]{64}", model.fingerprint)
    assert model.name
    assert model.words in ("instruction", "description")
