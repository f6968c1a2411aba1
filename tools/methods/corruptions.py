"""Three ways to corrupt one item: an edited picture, another word in its question, or noise on its pixels.

Knows semantic image pairs as they come from an editor (`image`; NOTICE, Golovanevsky et al. 2024), symmetric token
replacement by whoever knows answers (`text`; Zhang and Nanda 2024) and Gaussian noise (`noise`), on the same items, and
how far each leads away from the data. Knows nothing about what is measured on them. Not a tool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import numpy as np
from PIL import Image
from pydantic import Field

from store.errors import PlannerError
from store.records import Quantity
from tools.methods.answers import refuse_wordless
from tools.methods.duels import asks_for_it
from tools.methods.manifold import Distances, Scope, apart, joined, over, spots
from tools.scoring.intervals import bootstrap_mean
from tools.stimuli import Pair, Reworder, Stimulus

if TYPE_CHECKING:
    from tools.context import ToolContext

Corruption = Literal["image", "text", "noise"]
CORRUPTIONS: tuple[Corruption, ...] = get_args(Corruption)
OTHERS: tuple[Corruption, ...] = ("text", "noise")
"""Corruptions beside the pair's own."""
SCOPE: dict[Corruption, Scope] = {"image": "picture", "text": "words", "noise": "picture"}
"""The tokens that a corruption changes first."""
FULL = 255.0

Compare = Annotated[
    bool,
    Field(
        description="Corrupt the same items in two other ways too: one word of the question replaced, and noise on the "
        "picture; only pairs whose question allows that are taken."
    ),
]
Noise = Annotated[
    float, Field(gt=0, le=1, description="With `compare`: the noise's sd as a share of a pixel's range.")
]


def noisy(stimulus: Stimulus, strength: float, seed: int) -> Stimulus:
    """The same question before the picture with independent noise on every channel of every pixel.

    `strength` is the noise's standard deviation as a share of the full range; values are cut off at black and white.
    """
    pixels = np.asarray(stimulus.image, dtype=np.float64)
    noise = np.random.default_rng(seed).normal(0.0, strength * FULL, pixels.shape)
    picture = Image.fromarray(np.clip(np.rint(pixels + noise), 0, FULL).astype(np.uint8))
    return replace(stimulus, key=f"{stimulus.key} + noise {strength:g} #{seed}", image=picture)


def tokens(context: ToolContext, text: str) -> int:
    """How many tokens the target makes of a text."""
    return len(context.target.processor.tokenizer(text, add_special_tokens=False)["input_ids"])


def comparable(context: ToolContext) -> Callable[[Pair], bool]:
    """Whether a pair can be corrupted in all three ways: its question has another right answer on the other side, and
    one with another word in it.

    Raises PlannerError for a target without words, and where nobody knows which words to replace.
    """
    refuse_wordless(context)
    editor: object = context.editor  # one that makes pictures need not know questions
    if not isinstance(editor, Reworder):
        raise PlannerError(
            "nobody knows which word of a question about these pictures to replace, and what is right then",
            kind="no_answers",
            hint="leave `compare` out",
        )

    def allows(pair: Pair) -> bool:
        known = bool(pair.with_.answer and pair.without.answer)
        return known and asks_for_it(pair) and _reworded(context, pair.with_) is not None

    return allows


def corrupted(
    context: ToolContext, pairs: Sequence[Pair], corruption: Corruption, noise: float
) -> list[Pair]:
    """Each comparable pair with the corrupt item as its side without the concept. Under noise, of which nobody knows
    what is right, the answer is that of the edited picture.
    """
    match corruption:
        case "image":
            return list(pairs)
        case "text":
            sides = [(pair, _reworded(context, pair.with_)) for pair in pairs]
            return [replace(pair, without=side) for pair, side in sides if side is not None]
        case "noise":
            return [replace(pair, without=_noisy(context, pair, noise)) for pair in pairs]


def off_manifold(
    context: ToolContext, pairs: Sequence[Pair], corrupt: Mapping[Corruption, Sequence[Pair]]
) -> dict[str, Quantity]:
    """How far each corruption leads the residual stream from that of untouched questions: |z| of the mean norm of the
    tokens that it changes first, a mean over layers; the control is the same of the items as they were.
    """
    where = spots(context.extent)
    parts: dict[str, list[Distances]] = {}
    for kind in dict.fromkeys(pair.with_.kind for pair in pairs):
        runs = {"untouched": [pair.with_ for pair in pairs if pair.with_.kind == kind]}
        runs |= {
            name: [pair.without for pair in found if pair.with_.kind == kind]
            for name, found in corrupt.items()
        }
        for name, part in apart(context, kind, len(runs["untouched"]), runs, where).items():
            parts.setdefault(name, []).append(part)
    told = {name: joined(found) for name, found in parts.items()}
    seed = context.derived_seed("off manifold")
    found = dict[str, Quantity]()
    for name in corrupt:
        mean, control = (
            bootstrap_mean(over(told[one].norm, where, SCOPE[name]), seed=seed) for one in (name, "untouched")
        )
        found[f"off_manifold_{name}"] = Quantity(
            value=mean.value,
            unit="|z| of the norm",
            ci=(mean.low, mean.high),
            n=mean.n,
            control=control.value,
            control_ci=(control.low, control.high),
        )
    return found


def _reworded(context: ToolContext, stimulus: Stimulus) -> Stimulus | None:
    editor: object = context.editor
    assert isinstance(editor, Reworder)  # `comparable` has looked
    seed = context.derived_seed("reworded", stimulus.key) % 2**31
    return editor.reworded(stimulus, lambda text: tokens(context, text), seed)


def _noisy(context: ToolContext, pair: Pair, strength: float) -> Stimulus:
    made = noisy(pair.with_, strength, context.derived_seed("noise", pair.with_.key) % 2**31)
    return replace(made, answer=pair.without.answer)
