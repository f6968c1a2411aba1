"""A pipeline's signature tells what it can do, and which settings it knows."""

from __future__ import annotations

from typing import Any

import diffusers
import pytest

from store.errors import UserError
from tools.editing.backend import Settings
from tools.editing.signature import Job, Signature


def signature(name: str) -> Signature:
    return Signature.read(getattr(diffusers, name))


@pytest.mark.parametrize(
    ("name", "job"),
    [
        ("StableDiffusionInstructPix2PixPipeline", "edit"),
        ("StableDiffusionXLInstructPix2PixPipeline", "edit"),
        ("FluxKontextPipeline", "edit"),
        ("QwenImageEditPipeline", "edit"),
        ("OmniGenPipeline", "edit"),
        ("StableDiffusionImg2ImgPipeline", "repaint"),
        ("StableDiffusionInpaintPipeline", "fill"),
        ("StableDiffusionPipeline", "draw"),
    ],
)
def test_what_a_stock_pipeline_does_is_read_off_its_call(name: str, job: Job) -> None:
    assert signature(name).job() == job


def test_a_class_that_nobody_has_seen_is_taken_by_its_signature() -> None:
    class PipelineOfNextYear:
        def __call__(self, prompt: str, image: Any, generator: Any = None, sigmas: Any = None) -> None: ...

    assert Signature.read(PipelineOfNextYear).job() == "edit"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("StableVideoDiffusionPipeline", "makes videos"),
        ("StableDiffusionUpscalePipeline", "enlarges pictures"),
        ("StableDiffusionLatentUpscalePipeline", "enlarges pictures"),
        ("StableDiffusionControlNetPipeline", "draws after a second picture such as edges or depth"),
        ("StableDiffusionImageVariationPipeline", "takes a picture but no words"),
        ("DDPMPipeline", "takes no words"),
    ],
)
def test_a_pipeline_that_can_not_edit_is_refused_with_what_it_does(name: str, what: str) -> None:
    with pytest.raises(UserError) as caught:
        signature(name).job()
    assert caught.value.message == f"`{name}` can't edit: it {what}"
    assert "InstructPix2Pix" in caught.value.hint


def test_settings_that_are_not_given_are_the_pipelines_own() -> None:
    settled = signature("StableDiffusionInstructPix2PixPipeline").settled(Settings())
    assert (settled.steps, settled.guidance, settled.image_guidance, settled.strength) == (
        100,
        7.5,
        1.5,
        None,
    )


def test_guidance_goes_to_the_scale_that_is_in_use() -> None:
    assert signature("QwenImageEditPipeline").called("guidance") == "true_cfg_scale"
    assert signature("FluxKontextPipeline").called("guidance") == "guidance_scale"


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("FluxKontextPipeline", Settings(strength=0.5), "`FluxKontextPipeline` takes no `strength`"),
        (
            "StableDiffusionImg2ImgPipeline",
            Settings(steps=3, strength=0.2),
            "`strength` 0.2 of 3 steps leaves no step to run",
        ),
        (
            "StableDiffusionInstructPix2PixPipeline",
            Settings(image_guidance=0.5),
            "`image_guidance` 0.5 switches all guidance off in `StableDiffusionInstructPix2PixPipeline`",
        ),
    ],
)
def test_settings_that_would_do_nothing_are_refused(name: str, given: Settings, message: str) -> None:
    with pytest.raises(UserError) as caught:
        signature(name).settled(given)
    assert caught.value.message == message


def test_only_pipelines_for_which_a_list_is_a_batch_get_lists() -> None:
    assert signature("StableDiffusionInstructPix2PixPipeline").by_lists
    assert signature("StableDiffusionInpaintPipeline").by_lists
    assert not signature("FluxKontextPipeline").by_lists
    assert not signature("QwenImageEditPlusPipeline").by_lists
