"""What diffusion pipelines do beyond the conformance suite: filters, memory, broken values, files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
)
from PIL import Image

from store.errors import UserError
from tests.tools.editing.pipelines import (
    FEW,
    noise,
    pixels,
    squares,
    strict_filter,
    tiny,
    tiny_kontext,
    words,
)
from tools.editing.backend import Failed, Made, Outcome, Settings
from tools.editing.diffusion import DiffusionModel
from tools.editing.loading import load_picture_model

InstructPix2Pix = StableDiffusionInstructPix2PixPipeline


def edited(pipeline: Any, count: int = 1, **more: Any) -> list[Outcome]:
    model = DiffusionModel(pipeline, settings=FEW, name="tiny", **more)
    return model.edit(squares(count), words(count), list(range(count)))


def why(outcome: Outcome) -> str:
    assert isinstance(outcome, Failed), outcome
    return f"{outcome.kind}: {outcome.why}"


def image(outcome: Outcome) -> np.ndarray:
    assert isinstance(outcome, Made), outcome
    return pixels(outcome.image)


def test_what_a_safety_filter_blanks_is_told_as_that() -> None:
    outcome = edited(tiny(InstructPix2Pix, **strict_filter()))[0]
    assert why(outcome) == "safety: the model's safety filter took the picture away"
    assert not outcome.passing if isinstance(outcome, Failed) else False


def test_values_that_are_no_numbers_are_told_as_that() -> None:
    pipeline = tiny(InstructPix2Pix)
    pipeline.vae.decoder.conv_out.bias.data.fill_(float("nan"))
    assert why(edited(pipeline)[0]).startswith("nan: the model computed values that are no numbers in 100.0%")


def test_a_model_that_paints_one_color_gives_no_picture() -> None:
    pipeline = tiny(InstructPix2Pix)
    pipeline.vae.decoder.conv_out.weight.data.zero_()
    pipeline.vae.decoder.conv_out.bias.data.fill_(-3)
    assert (
        why(edited(pipeline)[0])
        == "blank: the picture that came back is black all over, as safety filters leave it"
    )


def without_room_for(pipeline: Any, rows: int) -> Any:
    """The pipeline on a machine whose memory holds fewer than that many rows of the UNet."""

    def refuse(unet: Any, given: tuple[Any, ...]) -> None:
        if len(given[0]) >= rows:
            raise torch.OutOfMemoryError("CUDA out of memory")

    pipeline.unet.register_forward_pre_hook(refuse)
    return pipeline


def test_a_block_that_does_not_fit_goes_through_in_halves_and_says_so() -> None:
    outcomes = edited(without_room_for(tiny(InstructPix2Pix), rows=3 * 4), count=5)
    whole = edited(tiny(InstructPix2Pix), count=5)
    assert all(np.abs(image(a) - image(b)).max() <= 1 for a, b in zip(outcomes, whole, strict=True))
    assert all(
        "went through 2 at a time instead of 8, as the memory held no more" in outcome.notes
        for outcome in outcomes
        if isinstance(outcome, Made)
    )


def test_a_picture_for_which_there_is_no_room_fails_and_may_be_tried_again() -> None:
    outcomes = edited(without_room_for(tiny(InstructPix2Pix), rows=1), count=2)
    told = "memory: the memory does not hold even one picture at 64×64 pixels: lower `size`"
    assert [why(outcome) for outcome in outcomes] == [told, told]
    assert all(outcome.passing for outcome in outcomes if isinstance(outcome, Failed))


def test_another_error_is_not_taken_for_missing_memory() -> None:
    pipeline = tiny(InstructPix2Pix)
    pipeline.unet.conv_in = torch.nn.Conv2d(1, 8, 3)
    with pytest.raises(RuntimeError):
        edited(pipeline)


def test_an_instruction_that_would_be_cut_off_is_refused() -> None:
    model = DiffusionModel(tiny(InstructPix2Pix), name="tiny", settings=FEW)
    outcome = model.edit(squares(1), ["red " * 20], [1])[0]
    assert why(outcome) == "input: `tiny` reads 16 tokens of an instruction, and this one has 21"


def test_a_word_that_the_model_never_learned_is_named() -> None:
    model = DiffusionModel(tiny(InstructPix2Pix), name="tiny", settings=FEW)
    assert (
        why(model.edit(squares(1), ["the zebra is red"], [1])[0])
        == "input: `tiny` does not know the word `zebra`"
    )


def test_a_picture_that_is_too_long_and_thin_is_refused() -> None:
    model = DiffusionModel(tiny(InstructPix2Pix), settings=FEW)
    assert why(model.edit(noise((600, 20)), ["red"], [1])[0]) == (
        "input: a picture of 600×20 pixels is too long and thin for a model that works on 64×8"
    )


def test_progress_counts_the_steps_of_all_pictures() -> None:
    told: list[tuple[str, int, int]] = []
    edited(tiny(InstructPix2Pix), count=9, progress=lambda *step: told.append(step))
    assert {(what, of) for what, _, of in told} == {("editing pictures", 9 * 4)}
    done = [count for _, count, _ in told]
    assert done == sorted(done)
    assert done[-1] == 9 * 4


def test_the_global_seed_is_left_alone_and_does_not_matter() -> None:
    pipeline = tiny(InstructPix2Pix)
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = edited(pipeline)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(6)
    assert np.array_equal(image(first[0]), image(edited(pipeline)[0]))


def test_the_words_that_a_model_wants_are_told() -> None:
    assert DiffusionModel(tiny(InstructPix2Pix)).words == "instruction"
    assert DiffusionModel(tiny(StableDiffusionImg2ImgPipeline)).words == "description"


def test_settings_in_force_name_what_the_pipeline_stands_for() -> None:
    settings = DiffusionModel(tiny(StableDiffusionImg2ImgPipeline), settings=Settings(steps=10)).settings
    assert (settings.steps, settings.guidance, settings.strength) == (10, 7.5, 0.8)
    assert (settings.size, settings.block, settings.dtype) == (64, 8, "float32")


def test_what_is_drawn_by_repainting_shows_nothing_of_the_canvas() -> None:
    """Strength 1 starts from noise: two canvases give one picture."""
    white, black = (
        DiffusionModel(
            tiny(StableDiffusionInpaintPipeline), settings=FEW.model_copy(update={"canvas": color})
        )
        for color in ("white", "black")
    )
    one, other = (image(model.generate(["red circle"], [1])[0]) for model in (white, black))
    assert np.array_equal(one, other)


def test_a_model_that_can_only_edit_is_told_to_draw_on_an_empty_canvas() -> None:
    told = FEW.model_copy(update={"drawing": "color the {}"})
    model = DiffusionModel(tiny(InstructPix2Pix), settings=told)
    outcomes = [
        model.generate(["red circle"], [1])[0],
        model.edit([Image.new("RGB", (64, 64), "white")], ["color the red circle"], [1])[0],
    ]
    assert np.array_equal(image(outcomes[0]), image(outcomes[1]))


def test_a_pipeline_of_another_make_is_run_by_its_signature_alone() -> None:
    """FLUX Kontext: a transformer, sides that are multiples of 16, one picture a call, a guidance of its own."""
    model = DiffusionModel(tiny_kontext(), settings=Settings(steps=2, size=64))
    assert (model.words, model.regions, model.settings.block) == ("instruction", "never", 1)
    assert (model.settings.guidance, model.settings.strength) == (3.5, None)
    together = model.edit(noise((64, 64), (80, 60)), ["red circle", "the star is blue"], [1, 2])
    assert [image(outcome).shape for outcome in together] == [(64, 64, 3), (60, 80, 3)]
    alone = model.edit(noise((64, 64), (80, 60))[1:], ["the star is blue"], [2])
    assert np.array_equal(image(alone[0]), image(together[1]))


def test_one_changed_weight_or_part_is_another_fingerprint() -> None:
    same, again, other = (DiffusionModel(tiny(InstructPix2Pix, seed=seed)).fingerprint for seed in (0, 0, 1))
    assert same == again
    assert same != other
    slower = tiny(InstructPix2Pix)
    slower.scheduler.register_to_config(beta_end=0.03)
    assert DiffusionModel(slower).fingerprint != same


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pipelines") / "tiny-pix2pix"
    tiny(InstructPix2Pix).save_pretrained(path)
    return path


def test_a_saved_pipeline_edits_as_it_did_before(folder: Path) -> None:
    model = load_picture_model(folder, name="tiny", settings=FEW, device="cpu")
    fresh = DiffusionModel(tiny(InstructPix2Pix), settings=FEW)
    assert model.name == "tiny"
    assert model.fingerprint == fresh.fingerprint
    one, two = (each.edit(squares(1), ["red"], [3])[0] for each in (model, fresh))
    assert np.array_equal(image(one), image(two))


def test_half_precision_is_recorded_and_edits(folder: Path) -> None:
    model = load_picture_model(folder, dtype="bfloat16", settings=FEW)
    assert model.settings.dtype == "bfloat16"
    assert image(model.edit(squares(1), ["red"], [3])[0]).shape == (64, 64, 3)


def test_a_folder_without_a_pipeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be loaded as an editor") as caught:
        load_picture_model(tmp_path)
    assert "`model_index.json`" in caught.value.hint


def test_a_name_that_is_nowhere_is_refused_without_a_network() -> None:
    with pytest.raises(UserError, match="`nobody/nothing` can't be loaded as an editor"):
        load_picture_model("nobody/nothing")


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("StableVideoDiffusionPipeline", "`StableVideoDiffusionPipeline` can't edit: it makes videos"),
        (["pipeline", "MyPipeline"], "which this version of diffusers does not know"),
    ],
)
def test_what_can_not_edit_is_refused_before_its_weights_are_read(
    tmp_path: Path, named: object, message: str
) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": named, "vae": ["no", "files"]}))
    with pytest.raises(UserError) as caught:
        load_picture_model(tmp_path)
    assert message in caught.value.message


def test_a_model_that_draws_also_edits_with_its_own_parts() -> None:
    model = DiffusionModel(tiny(StableDiffusionPipeline), settings=FEW)
    assert (model.words, model.regions) == ("description", "may")
    assert model.pipelines.edit is not None
    assert model.pipelines.edit.unet is model.pipeline.unet
