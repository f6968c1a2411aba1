"""`vocabulary_effect`: which words a component's output pushes up or down by itself, read off its weights.

A neuron's output row, or the main direction of what a head adds at the answer position, through final norm and
unembedding (after Geva et al. 2022). What is *written*: it says nothing of what the component responds to, nor that
anything comes of it behind the layers in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from jaxtyping import Float
from pydantic import Field

from store.address import Address
from store.errors import PlannerError
from store.records import Model, Quantity
from tools.context import ToolContext
from tools.methods.answers import asked, refuse_wordless
from tools.methods.showing import Component
from tools.methods.values import others
from tools.methods.writing import read_out, word_logits, written
from tools.scoring.intervals import wilson
from tools.tool import Arguments, Result, tool

if TYPE_CHECKING:
    from torch import Tensor

RANDOM = 200
"""Random directions of equal length."""
STIMULI = 48
"""Pictures with their questions, over which a head's output is gathered."""
PER_KIND = 16
"""Questions of a kind on which a head's direct effect is read."""


class VocabularyEffectArguments(Arguments):
    component: Component
    k: Annotated[int, Field(ge=1, le=50, description="Words at either end.")] = 10


class Word(Model):
    """`z` is the word's logit in standard deviations of random directions' logits."""

    word: str
    logit: float
    z: float


class VocabularyEffect(Result):
    """Words that the direction pushes up (`top`) and down (`bottom`); both ends of a head's direction are used."""

    component: str
    top: tuple[Word, ...]
    bottom: tuple[Word, ...]


class Direction(NamedTuple):
    """A vector of the residual stream, and the share of a head's output that varies along it (1 for neurons)."""

    vector: Float[Tensor, "width"]
    share: float


@tool
def vocabulary_effect(context: ToolContext, arguments: VocabularyEffectArguments) -> VocabularyEffect:
    """Which words a component's output raises or lowers directly (language side only).

    A neuron: its output row through final norm and unembedding. A head: the main direction of what it adds at the
    answer position, and for each kind of question how often what it adds favors the right answer over the others
    (`writes_KIND`; its control is the same with the answers shuffled). `strength` is the largest |logit| beside what
    random directions of equal length reach. Proposes what a component *writes*; never evidence for what it responds to.
    """
    address = context.address(arguments.component)
    refuse_wordless(context)
    if address.tower != "language":
        raise PlannerError(
            f"`{address}` does not write into a stream that words are read from",
            kind="no_words",
            hint="name a neuron or head of the language side of a target that answers in words",
        )
    direction = _direction(context, address)
    logits = word_logits(context, direction.vector[None])[0]
    drawn = _random(context, address, direction.vector)
    spread = drawn.std(axis=0)
    z = (logits - drawn.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    order = np.argsort(-logits, kind="stable")
    strength = float(np.abs(logits).max())
    reached = np.abs(drawn).max(axis=1)
    low, high = np.quantile(reached, [0.025, 0.975])
    quantities = {
        "strength": Quantity(
            value=strength,
            unit="logits of a direction of unit scale",
            n=RANDOM,
            control=float(reached.mean()),
            control_ci=(float(low), float(high)),
        ),
        "siblings": Quantity(
            value=strength, unit="logits", n=len(logits), control=_of_others(context, address, direction)
        ),
    }
    if address.part == "head":
        quantities["share"] = Quantity(
            value=direction.share, unit="share of the output's variance", n=STIMULI
        )
    kinds = _kinds(context, address) if address.part == "head" else {}
    quantities |= kinds
    weak = strength <= float(high)
    top = [_word(context, int(i), logits, z) for i in order[: arguments.k]]
    bottom = [_word(context, int(i), logits, z) for i in order[::-1][: arguments.k]]
    return VocabularyEffect(
        component=str(address),
        top=tuple(top),
        bottom=tuple(bottom),
        quantities=quantities,
        warnings=("random directions reach words as strongly",) if weak else (),
        summary=_summary(address, top, bottom, strength, float(reached.mean()), weak, kinds),
    )


def _direction(context: ToolContext, address: Address) -> Direction:
    row = context.adapter.output_row(address).detach().float()
    if address.part == "mlp":
        return Direction(row, 1.0)
    if address.part != "head":
        raise PlannerError(f"`{address}` is not a neuron or a head", kind="address", hint="name one")
    import torch

    written = _head_output(context, address) @ row.cpu()
    centered = written - written.mean(dim=0)
    _, values, directions = torch.linalg.svd(centered, full_matrices=False)
    total = float((values**2).sum())
    first = directions[0]
    return Direction(
        first if float(first[first.abs().argmax()]) > 0 else -first,
        float(values[0] ** 2) / total if total else 0.0,
    )


def _head_output(context: ToolContext, address: Address) -> Float[Tensor, "stimulus width"]:
    """What the head reads out (`attn.z`) at the answer position of pictures with their questions."""
    order = context.random("written").permutation(len(context.images))[:STIMULI]
    stimuli = [context.images.asked(int(number)) for number in sorted(order)]
    return read_out(context, address, "pictures", stimuli)


def _kinds(context: ToolContext, address: Address) -> dict[str, Quantity]:
    """By kind of question, how often what the head adds favors the right answer over the mean of the others."""
    if not context.images.kinds:
        return {}
    found = {}
    for questions in asked(context, (), PER_KIND):
        effect = written(context, address, questions)
        share = wilson(int((effect.favor > 0).sum()), len(effect.right))
        found[f"writes_{questions.kind}"] = Quantity(
            value=share.value,
            unit="of the questions",
            ci=(share.low, share.high),
            n=share.n,
            control=effect.by_chance(),
        )
    return found


def _random(
    context: ToolContext, address: Address, vector: Float[Tensor, "width"]
) -> Float[np.ndarray, "row word"]:
    import torch

    generator = torch.Generator().manual_seed(context.derived_seed(address, "directions"))
    return word_logits(context, torch.randn(RANDOM, len(vector), generator=generator))


def _of_others(context: ToolContext, address: Address, direction: Direction) -> float:
    """How strongly random neurons of the layer reach their strongest word (a head: its own random directions)."""
    import torch

    if address.part != "mlp":
        return float(np.abs(_random(context, address, direction.vector)).max(axis=1).mean())
    rows = torch.stack([context.adapter.output_row(one).detach().float() for one in others(context, address)])
    return float(np.abs(word_logits(context, rows)).max(axis=1).mean())


def _word(
    context: ToolContext,
    token: int,
    logits: Float[np.ndarray, "word"],
    z: Float[np.ndarray, "word"],
) -> Word:
    word = str(context.target.processor.tokenizer.decode([token])).strip()
    return Word(word=word, logit=round(float(logits[token]), 4), z=round(float(z[token]), 3))


def _summary(
    address: Address,
    top: list[Word],
    bottom: list[Word],
    strength: float,
    reached: float,
    weak: bool,
    kinds: dict[str, Quantity],
) -> str:
    best = sorted(kinds.items(), key=lambda named: -named[1].value)[:3]
    told = "".join(f" {name.replace('_', ' ', 1)} right in {one.value:.0%}." for name, one in best)
    up = ", ".join(f"{word.word} {word.logit:+.1f}" for word in top[:6])
    down = ", ".join(f"{word.word} {word.logit:+.1f}" for word in bottom[:6])
    verdict = "no more than chance" if weak else "more than chance"
    return (
        f"{address} writes: up {up}; down {down}. Strongest {strength:.2f}, random directions {reached:.2f} on "
        f"average: {verdict}.{told}"
    )[:400]
