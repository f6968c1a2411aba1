"""What a diffusers pipeline can do, read off the parameters of its call.

Knows which parameters mean pictures, words, masks and strengths in diffusers' pipelines, and which tell that a pipeline
does something else (videos, enlarging, drawing after edges). A class that did not exist when this was written is taken
by its signature too. Knows nothing about running one.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from store.errors import UserError
from tools.editing.backend import Settings

Job = Literal["edit", "repaint", "fill", "draw"]
"""Changes a picture by an instruction (InstructPix2Pix, FLUX Kontext, Qwen-Image-Edit); repaints one towards a
description (img2img); fills a marked region by a description (inpainting); draws from words alone."""
PICTURES = ("image", "input_images")
OTHERWISE = {
    "num_frames": "makes videos",
    "num_videos_per_prompt": "makes videos",
    "video": "changes videos",
    "audio_length_in_s": "makes sound",
    "noise_level": "enlarges pictures",
    "control_image": "draws after a second picture such as edges or depth",
    "controlnet_conditioning_scale": "draws after a second picture such as edges or depth",
    "adapter_conditioning_scale": "draws after a second picture such as edges or depth",
}
"""Parameters that tell of another task, and the task."""
CAN_EDIT = "give one that takes a picture and words: InstructPix2Pix, img2img, inpainting, FLUX Kontext, …"
NAMES = {
    "steps": ("num_inference_steps",),
    "guidance": ("guidance_scale", "true_cfg_scale"),
    "image_guidance": ("image_guidance_scale", "img_guidance_scale"),
    "strength": ("strength",),
}
"""Settings, and what pipelines call them."""
BY_LISTS = ("strength", "image_guidance_scale")
"""To a pipeline with one of these a list of pictures is a batch; to others it may be many pictures for one prompt."""


@dataclass(frozen=True)
class Signature:
    """The call of the pipeline class `of`."""

    of: str
    defaults: Mapping[str, Any]

    @classmethod
    def read(cls, pipeline: type) -> Signature:
        parameters = list(inspect.signature(pipeline.__call__).parameters.values())[1:]
        named = [each for each in parameters if each.kind is not each.VAR_KEYWORD]
        return cls(pipeline.__name__, {each.name: each.default for each in named})

    @cached_property
    def picture(self) -> str | None:
        """The parameter that takes the picture."""
        return next((name for name in PICTURES if name in self.defaults), None)

    @property
    def by_lists(self) -> bool:
        """Whether several pictures, each with words of its own, go through together."""
        return self.picture is None or any(name in self.defaults for name in BY_LISTS)

    def job(self) -> Job:
        """What the pipeline does. Raises UserError that says so when that is no editing."""
        other = next((what for name, what in OTHERWISE.items() if name in self.defaults), None)
        if other is None and "Upscale" in self.of:
            other = OTHERWISE["noise_level"]
        if other is None and "prompt" not in self.defaults:
            other = "takes a picture but no words" if self.picture else "takes no words"
        if other is None and "generator" not in self.defaults:
            other = "takes no seed, so that no result could be had again"
        if other is not None:
            raise UserError(f"`{self.of}` can't edit: it {other}", kind="editor", hint=CAN_EDIT)
        if self.picture is None:
            return "draw"
        if "mask_image" in self.defaults:
            return "fill"
        return "repaint" if "strength" in self.defaults else "edit"

    def called(self, setting: str) -> str | None:
        """The parameter for a setting; of two the one that is in use, as its default is a number."""
        present = [name for name in NAMES[setting] if name in self.defaults]
        return next((name for name in present if self.defaults[name] is not None), None)

    def settled(self, given: Settings) -> Settings:
        """The settings in force: those given, for the rest the pipeline's own defaults.

        Raises UserError for one that the pipeline does not take, and for ones that would silently do nothing.
        """
        found: dict[str, Any] = {}
        for setting in NAMES:
            parameter, wanted = self.called(setting), getattr(given, setting)
            if parameter is None and wanted is not None:
                raise _refused(f"`{self.of}` takes no `{setting}`", "leave it out")
            found[setting] = self.defaults[parameter] if parameter and wanted is None else wanted
        settled = given.model_copy(update=found)
        if settled.steps and settled.strength and int(settled.steps * settled.strength) < 1:
            raise _refused(
                f"`strength` {settled.strength:g} of {settled.steps} steps leaves no step to run",
                "raise one of them",
            )
        image, words = settled.image_guidance, settled.guidance
        if image is not None and image < 1 and words is not None and words > 1:
            raise _refused(
                f"`image_guidance` {image:g} switches all guidance off in `{self.of}`",
                "give 1 or more, or set `guidance` to 1 as well",
            )
        return settled


def _refused(message: str, hint: str) -> UserError:
    return UserError(message, kind="editor", hint=hint)
