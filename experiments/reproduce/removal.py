"""Questions answered with some heads silenced or scaled, beside as many random heads treated alike.

Knows sets of heads and what is done to each head; accuracy is the share of questions whose likeliest word is the right
one. Knows nothing about why these heads were chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from store.address import Address
from store.values import Estimate
from tools.methods.answers import Asked, margins, run, silenced
from tools.scoring.intervals import bootstrap_mean

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.engine.plan import Intervention

Done = tuple["Intervention", ...]


class Treated(NamedTuple):
    """Question by question: right (1) or not (0) untouched, with the heads treated, and on average over control sets
    treated alike."""

    plain: Float[np.ndarray, "question"]
    treated: Float[np.ndarray, "question"]
    control: Float[np.ndarray, "question"]

    def change(self, seed: int) -> Estimate:
        """Accuracy that the treatment adds."""
        return bootstrap_mean(self.treated - self.plain, seed=seed)

    def control_change(self, seed: int) -> Estimate:
        return bootstrap_mean(self.control - self.plain, seed=seed)

    def beyond(self, seed: int) -> Estimate:
        """Accuracy that it adds beyond what random heads do."""
        return bootstrap_mean(self.treated - self.control, seed=seed)


def joined(parts: Sequence[Treated]) -> Treated:
    """Questions of several kinds together."""
    return Treated(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def right(context: ToolContext, questions: Asked, done: Done = ()) -> Float[np.ndarray, "question"]:
    """1 where the answer is right with what is done, 0 where it is not."""
    logits = run(context, questions.stimuli, [done] * len(questions.stimuli))
    return margins(logits, questions).right.astype(np.float64)


def treated(
    context: ToolContext,
    questions: Asked,
    done: Done,
    controls: Sequence[Done],
    plain: Float[np.ndarray, "question"] | None = None,
) -> Treated:
    """The questions untouched (`plain`, where that is known), with what is done, and with each of the controls."""
    untouched = right(context, questions) if plain is None else plain
    others = [right(context, questions, one) for one in controls]
    return Treated(
        untouched,
        right(context, questions, done),
        np.mean(others, axis=0) if others else untouched,
    )


def silence(context: ToolContext, heads: Sequence[Address]) -> Done:
    """All of them at their reference means, at all positions."""
    return tuple(one for head in heads for one in silenced(context, head, "mean"))


def scaled(factors: Sequence[tuple[Address, float]]) -> Done:
    """Each head's output times its factor, at all positions."""
    from tools.engine.plan import Intervention, Scale
    from tools.targets.sites import site_of

    return tuple(Intervention(*site_of(head), "all", Scale(factor)) for head, factor in factors)


def random_heads(
    heads: Sequence[Address],
    among: Sequence[Address],
    random: np.random.Generator,
    *,
    avoid: Callable[[Address], bool] = lambda _: False,
) -> list[Address]:
    """As many other heads, each from the tower of the one that it stands for; fewer where a tower runs out."""
    found: list[Address] = []
    for head in heads:
        free = [
            one
            for one in among
            if one.tower == head.tower and one not in heads and one not in found and not avoid(one)
        ]
        if free:
            found.append(free[int(random.integers(len(free)))])
    return found
