"""What was made is not made again, and comes back as it was; what was harmed or may pass is made anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionInpaintPipeline, StableDiffusionInstructPix2PixPipeline

from store.errors import UserError
from tests.tools.editing.pipelines import FEW, noise, pixels, squares, tiny, words
from tools.editing.backend import Failed, Made, Outcome, Settings
from tools.editing.diffusion import DiffusionModel
from tools.editing.kept import Kept
from tools.editing.shelf import Shelf, as_picture


class Counted:
    """Runs of a pipeline's UNet, counted by a hook."""

    def __init__(self, model: DiffusionModel) -> None:
        self.runs = 0
        model.pipeline.unet.register_forward_hook(self._count)

    def _count(self, *told: object) -> None:
        self.runs += 1


def fresh(settings: Settings = FEW, seed: int = 0) -> DiffusionModel:
    return DiffusionModel(
        tiny(StableDiffusionInstructPix2PixPipeline, seed=seed), settings=settings, name="tiny"
    )


def same(one: Sequence[Outcome], other: Sequence[Outcome]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(
        np.array_equal(pixels(a.image), pixels(b.image)) and a.notes == b.notes
        if isinstance(a, Made) and isinstance(b, Made)
        else a == b
        for a, b in pairs
    )


def test_what_was_made_is_called_back_by_another_process_without_a_model(tmp_path: Path) -> None:
    pictures = noise((64, 64), (112, 80), (1, 1))
    first = Kept(fresh(), tmp_path).edit(pictures, words(3), [1, 2, 3])
    again = fresh()
    counted = Counted(again)
    assert same(Kept(again, tmp_path).edit(pictures, words(3), [1, 2, 3]), first)
    assert counted.runs == 0
    assert [type(outcome) for outcome in first] == [Made, Made, Failed]


def test_only_what_is_new_is_made_and_each_thing_once(tmp_path: Path) -> None:
    model = fresh()
    kept, counted = Kept(model, tmp_path), Counted(model)
    picture = squares(1)[0]
    kept.edit([picture], ["red circle"], [1])
    runs = counted.runs
    outcomes = kept.edit([picture] * 4, ["red circle"] * 4, [1, 2, 2, 2])
    assert counted.runs == 2 * runs
    assert same(outcomes[1:2], outcomes[2:3])
    assert not same(outcomes[:1], outcomes[1:2])


@pytest.mark.parametrize("part", ["picture", "words", "seed", "settings", "weights", "task", "region"])
def test_everything_that_a_result_depends_on_is_in_its_key(tmp_path: Path, part: str) -> None:
    kept, picture = Kept(fresh(), tmp_path), squares(2)[0]
    before = kept.key(picture, "red circle", 1)
    region = np.ones((64, 64), dtype=bool)
    assert before == kept.key(picture.copy(), "red circle", 1)
    assert (
        before
        != {
            "picture": lambda: kept.key(squares(2)[1], "red circle", 1),
            "words": lambda: kept.key(picture, "red star", 1),
            "seed": lambda: kept.key(picture, "red circle", 2),
            "settings": lambda: Kept(fresh(Settings(steps=5)), tmp_path).key(picture, "red circle", 1),
            "weights": lambda: Kept(fresh(seed=1), tmp_path).key(picture, "red circle", 1),
            "task": lambda: kept.key(None, "red circle", 1),
            "region": lambda: kept.key(picture, "red circle", 1, region),
        }[part]()
    )


def test_a_key_alone_brings_the_picture_back(tmp_path: Path) -> None:
    kept, picture = Kept(fresh(), tmp_path), squares(1)[0]
    key = kept.key(picture, "red circle", 1)
    assert isinstance(key, str)
    assert kept.recalled(key) is None
    made = kept.edit([picture], ["red circle"], [1])
    recalled = Kept(fresh(), tmp_path).recalled(key)
    assert recalled is not None
    assert same([recalled], made)


def test_drawn_pictures_are_kept_as_well(tmp_path: Path) -> None:
    first = Kept(fresh(), tmp_path).generate(["red circle"], [1])
    again = fresh()
    counted = Counted(again)
    assert same(Kept(again, tmp_path).generate(["red circle"], [1]), first)
    assert counted.runs == 0


def test_one_line_says_all_that_is_needed_to_make_it_again(tmp_path: Path) -> None:
    model = DiffusionModel(tiny(StableDiffusionInpaintPipeline), settings=FEW, name="tiny")
    kept, picture = Kept(model, tmp_path), noise((80, 64))[0]
    region = np.zeros((64, 80), dtype=bool)
    region[10:30, 10:50] = True
    made = kept.edit([picture], ["red circle"], [1], regions=[region])
    (path,) = tmp_path.glob("??/*.json")
    assert path.read_text().count("\n") == 1
    assert json.loads(path.read_text())["key"] == path.stem

    (line,) = Shelf(tmp_path).lines()
    shelf, wanted = Shelf(tmp_path), line.wanted
    source, where = shelf.picture(wanted.source), shelf.picture(wanted.region)
    assert source is not None and where is not None
    assert wanted.fingerprint == model.fingerprint
    anew = DiffusionModel(tiny(StableDiffusionInpaintPipeline), settings=wanted.settings)
    remade = anew.edit([source], [wanted.words], [wanted.seed], regions=[pixels(where)[..., 0] > 0])
    assert same(remade, made)


@pytest.mark.parametrize("harm", ["picture", "line", "half", "gone"])
def test_what_was_harmed_is_made_again(tmp_path: Path, harm: str) -> None:
    picture = squares(1)[0]
    first = Kept(fresh(), tmp_path).edit([picture], ["red circle"], [1])
    (line,) = Shelf(tmp_path).lines()
    file = next(tmp_path.glob(f"pictures/*/{line.made}.png"))
    path = next(tmp_path.glob("??/*.json"))
    if harm == "picture":
        file.write_bytes(file.read_bytes()[:-20] + bytes(20))
    elif harm == "gone":
        file.unlink()
    else:
        path.write_text("{}" if harm == "line" else path.read_text()[:100])
    model = fresh()
    counted = Counted(model)
    assert same(Kept(model, tmp_path).edit([picture], ["red circle"], [1]), first)
    assert counted.runs == FEW.steps
    assert Shelf(tmp_path).outcome(line.key) is not None


def test_lasting_failures_are_kept_and_passing_ones_are_not(tmp_path: Path) -> None:
    broken = tiny(StableDiffusionInstructPix2PixPipeline)
    broken.vae.decoder.conv_out.bias.data.fill_(float("nan"))
    full = tiny(StableDiffusionInstructPix2PixPipeline, seed=1)
    full.unet.register_forward_pre_hook(_no_room)
    for pipeline, kind in ((broken, "nan"), (full, "memory")):
        kept = Kept(DiffusionModel(pipeline, settings=FEW), tmp_path)
        (outcome,) = kept.edit(squares(1), ["red circle"], [1])
        assert isinstance(outcome, Failed) and outcome.kind == kind
        key = kept.key(squares(1)[0], "red circle", 1)
        assert isinstance(key, str)
        assert kept.recalled(key) == (outcome if kind == "nan" else None)


def _no_room(*told: object) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_what_was_finished_before_an_interruption_is_kept(tmp_path: Path) -> None:
    model = fresh(FEW.model_copy(update={"block": 1}))
    runs = Counted(model)

    def interrupt(*told: object) -> None:
        if runs.runs == 10 * 4:
            raise KeyboardInterrupt

    model.pipeline.unet.register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        Kept(model, tmp_path).edit(squares(12), words(12), range(12))
    assert len(list(Shelf(tmp_path).lines())) == 8
    assert not list(tmp_path.rglob("*.part"))


def test_a_folder_that_can_not_be_written_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file"):
        Kept(fresh(), tmp_path / "file").edit(squares(1), ["red circle"], [1])


def test_a_key_that_is_none_leads_nowhere(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no picture's key"):
        Kept(fresh(), tmp_path).recalled("../../etc/passwd")


def test_a_region_is_kept_as_it_is(tmp_path: Path) -> None:
    region = np.random.default_rng(0).random((20, 30)) > 0.5
    shelf = Shelf(tmp_path)
    kept = shelf.picture(shelf.add(as_picture(region)))
    assert kept is not None
    assert np.array_equal(pixels(kept)[..., 0] > 0, region)
