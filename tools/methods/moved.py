"""What moving activations between the sides of pairs comes to: shares of the gap, doubts, and the pairs shown.

Ratios of sums over pairs (Zhang and Nanda 2024). Knows the metric in runs of pairs (transplants.py, paths.py); knows
nothing about what was moved. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from pydantic import Field

from store.errors import PlannerError
from store.records import Model, Quantity
from tools.methods.contrasts import ratio_of_sums
from tools.methods.duels import Duel
from tools.methods.showing import keep_made
from tools.methods.transplants import GAP, Metric, Runs

if TYPE_CHECKING:
    from tools.context import ToolContext

UNIT: dict[Metric, str] = {"margin": "logits", "probability": "of probability"}


class MovedPair(Model):
    """One pair: its pictures as artifacts, question, answers, and the metric in the four runs."""

    without: str
    with_: Annotated[str, Field(serialization_alias="with")]
    question: str
    answers: tuple[str, str]
    clean: float
    corrupt: float
    denoised: float
    noised: float


class Shares(NamedTuple):
    """What is restored (`denoising`) and what is lost (`noising`) of the mean `gap`, the controls beside; 1 is all."""

    denoising: Quantity
    noising: Quantity
    gap: Quantity

    def quantities(self) -> dict[str, Quantity]:
        return self._asdict()


def shares_of(runs: Runs, metric: Metric, seed: int) -> Shares:
    """Of the first set, beside the other sets as controls.

    Raises PlannerError where the two sides lie too close together: a share of that would be noise.
    """
    gaps = runs.clean - runs.corrupt
    if gaps.mean() < GAP[metric]:
        raise PlannerError(
            f"the target hardly tells the two sides apart (mean gap {gaps.mean():.3f} {UNIT[metric]}): a share of that "
            "would be noise",
            kind="gap",
            hint="choose a concept that the target's answers show, or another way to change it",
        )
    return Shares(
        ratio_of_sums(runs.denoised - runs.corrupt, gaps, seed),
        ratio_of_sums(runs.clean - runs.noised, gaps, seed),
        Quantity(value=float(gaps.mean()), unit=metric, n=len(gaps)),
    )


def doubts(found: bool, shares: Shares, control: str) -> list[str]:
    """Why the shares may say little: pairs that were found, and shares like those of the control."""
    told = ["pairs were found, not made: they differ in more than the concept"] if found else []
    for name, ratio in (("denoising", shares.denoising), ("noising", shares.noising)):
        if ratio.control_ci is not None and ratio.value <= ratio.control_ci[1]:
            told.append(f"{name} is no more than that of random {control} of the site")
    return told


def in_words(ratio: Quantity, digits: int) -> str:
    """A share with its interval and control."""
    assert ratio.ci is not None
    low, high = ratio.ci
    beside = "no control" if ratio.control is None else f"control {ratio.control:.{digits}f}"
    return f"{ratio.value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}], {beside}"


def shown_pairs(context: ToolContext, duels: Sequence[Duel], runs: Runs, most: int) -> tuple[MovedPair, ...]:
    """The pairs with the largest gap, with what moving the first set does to each."""
    largest = np.argsort(-(runs.clean - runs.corrupt), kind="stable")[:most].tolist()
    return tuple(
        MovedPair(
            without=keep_made(context, duels[i].pair.without, "pair"),
            with_=keep_made(context, duels[i].pair.with_, "pair"),
            question=duels[i].pair.with_.question,
            answers=duels[i].words,
            clean=float(runs.clean[i]),
            corrupt=float(runs.corrupt[i]),
            denoised=float(runs.denoised[0, i]),
            noised=float(runs.noised[0, i]),
        )
        for i in largest
    )
