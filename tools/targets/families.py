"""Which families of models are known, in one table: where each one's adapter is, and what it does its own way.

Adding a family is one file with its adapter, and one line here. Knows names alone: a module is imported when a model of
its family is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from store.errors import UserError

GUIDE = "CONTRIBUTING.md, `Add a model family`"


@dataclass(frozen=True, slots=True)
class Family:
    """Names of things in `tools/targets/`, as `module.name`: the `adapter`; where they differ from what most families
    do, how the `processor` is opened (from a source), what a target's `anatomy` is and how it gives `answers` (what
    `tools.targets.answer.answer` does for one batch). `model` is transformers' class; where a family has models for
    several tasks, `architecture` is the one that can be read."""

    adapter: str
    model: str = "AutoModelForImageTextToText"
    architecture: str = ""
    processor: str = ""
    anatomy: str = ""
    answers: str = ""


FAMILIES: dict[str, Family] = {
    "llava": Family("llava.LlavaAdapter"),
    "llava_next": Family("llava.LlavaAdapter"),
    "clip": Family("clip.ClipAdapter", model="AutoModel"),
    "blip": Family(
        "blip.BlipAdapter",
        model="AutoModelForVisualQuestionAnswering",
        architecture="BlipForQuestionAnswering",
        anatomy="blip.anatomy",
        answers="blip_answers.answers",
    ),
    "qwen2_5_vl": Family(
        "qwen.QwenAdapter", processor="qwen_processor.open_processor", anatomy="qwen.anatomy"
    ),
}
"""By transformers' model type."""


def family_of(model_type: str, name: str) -> Family:
    """What is known of the family of the model that goes by `name`. Raises UserError for a family without adapter."""
    if model_type not in FAMILIES:
        raise UserError(
            f"`{name}` is a `{model_type}` model, a family that has no adapter, so its inside can't be read",
            kind="unsupported_family",
            hint=f"supported families: {', '.join(FAMILIES)}; how to add one: {GUIDE}",
        )
    return FAMILIES[model_type]


def part(name: str) -> Callable[..., Any]:
    """The class or function of this name (`module.name`) in `tools/targets/`."""
    module, _, inside = name.partition(".")
    found: Callable[..., Any] = getattr(import_module(f"tools.targets.{module}"), inside)
    return found
