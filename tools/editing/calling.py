"""One call of a diffusers pipeline for a block of pictures: what goes in, and what comes out.

Knows arguments, generators and the forms of answers; knows nothing about blocks that do not fit (blocks.py) or about
what becomes of the pictures. Every picture has a generator of its own on the CPU, so that a seed means the same noise
on every device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from tools.editing.backend import Failed, Settings
from tools.editing.faults import from_values
from tools.editing.signature import NAMES, Signature

Step = Callable[[int], None]
"""Is told how many steps of the call are done."""


@dataclass(frozen=True, eq=False)
class Request:
    """What the pipeline is asked for: words, a seed, and the picture as it sees it (from which it takes the size).

    `mask` is white where it may change the picture. `anew` says that nothing of the picture is to stay.
    """

    words: str
    seed: int
    picture: Image.Image
    mask: Image.Image | None = None
    anew: bool = False


def call(
    pipeline: Any, requests: Sequence[Request], settings: Settings, step: Step
) -> list[Image.Image | Failed]:
    """The pipeline's answers, in order. All requests have pictures of one size; the global seed is left alone."""
    given = arguments(Signature.read(type(pipeline)), requests, settings)
    if "callback_on_step_end" in Signature.read(type(pipeline)).defaults:
        given["callback_on_step_end"] = _telling(step)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)  # for what a part may draw beside the generators
        answer = pipeline(**given)
    flags = getattr(answer, "nsfw_content_detected", None) or [False] * len(requests)
    images = [_picture(image) for image in answer.images]
    if len(images) != len(requests):
        raise RuntimeError(f"`{type(pipeline).__name__}` gave {len(images)} pictures for {len(requests)}")
    hidden = Failed("safety", "the model's safety filter took the picture away")
    return [hidden if flag else image for image, flag in zip(images, flags, strict=True)]


def arguments(signature: Signature, requests: Sequence[Request], settings: Settings) -> dict[str, Any]:
    """What the pipeline is called with: lists for several requests, single values for one."""
    size = requests[0].picture.size
    listed: dict[str, list[Any]] = {
        "prompt": [request.words for request in requests],
        "generator": [torch.Generator("cpu").manual_seed(request.seed % 2**63) for request in requests],
    }
    if signature.picture:
        listed[signature.picture] = [request.picture for request in requests]
    if signature.job() == "fill":
        whole = Image.new("L", size, 255)
        listed["mask_image"] = [request.mask or whole for request in requests]
    given = listed if len(requests) > 1 else {name: values[0] for name, values in listed.items()}
    numbers = {name: getattr(settings, setting) for setting in NAMES if (name := signature.called(setting))}
    if "true_cfg_scale" in numbers:
        numbers["negative_prompt"] = (
            " " if len(requests) == 1 else [" "] * len(requests)
        )  # else it is not used
    if "strength" in numbers and (requests[0].anew or numbers["strength"] is None):
        numbers["strength"] = 1.0
    optional = {
        "width": size[0],
        "height": size[1],
        "max_area": size[0] * size[1],
        "_auto_resize": False,  # the picture has its working size already
        "output_type": "np",
    }
    known = {name: value for name, value in optional.items() if name in signature.defaults}
    return {**given, **{name: value for name, value in numbers.items() if value is not None}, **known}


def _telling(step: Step) -> Callable[..., dict[str, Any]]:
    def after(pipeline: Any, done: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        step(done + 1)
        return {}

    return after


def _picture(image: Any) -> Image.Image | Failed:
    """One answer as RGB, be it values from 0 to 1 or a picture already."""
    if isinstance(image, Image.Image):
        return image.convert("RGB")
    return from_values(np.asarray(image, dtype=np.float32))
