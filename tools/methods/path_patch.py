"""`path_patch`: does what one component says reach the answer through another one?

Knows which components are meant, and how shares of the gap are told; the runs are paths.py's (Wang et al. 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from store.address import Address
from store.errors import PlannerError
from store.records import Model, Quantity
from tools.context import ToolContext
from tools.methods.ablate import refuse_unreachable
from tools.methods.answers import refuse_wordless
from tools.methods.contested import FEWEST, aligned, contested, too_few
from tools.methods.contrasts import ratio_of_sums
from tools.methods.duels import Duel, duels
from tools.methods.patch import CONTROLS
from tools.methods.paths import Walked, refuse_pathless, walked
from tools.methods.showing import Component, keep_made
from tools.methods.streams import refuse_crossed
from tools.methods.transplants import GAP, transplanted
from tools.methods.values import others
from tools.tool import Arguments, Result, tool

LOGITS = "logits"
SHOWN = 4


class PathPatchArguments(Arguments):
    sender: Component
    receiver: Annotated[
        str,
        Field(
            description="A head or neuron that writes later, such as `language.5.head.2`; `logits`: directly."
        ),
    ] = LOGITS
    concept: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="A phrase (`red star`), or a kind of question (`color`): what the pairs differ in.",
        ),
    ]
    n: Annotated[int, Field(ge=FEWEST, le=100, description="Pairs.")] = 16


class PathPair(Model):
    """One pair: its pictures as artifacts, question, answers, and the margin in the four runs."""

    without: str
    with_: Annotated[str, Field(serialization_alias="with")]
    question: str
    answers: tuple[str, str]
    clean: float
    corrupt: float
    denoised: float
    noised: float


class PathPatched(Result):
    """`pairs` are those with the largest gap."""

    sender: str
    receiver: str
    concept: str
    pairs: tuple[PathPair, ...]


@tool
def path_patch(context: ToolContext, arguments: PathPatchArguments) -> PathPatched:
    """How much of what a sender carries between pictures reaches the answer through one receiver alone.

    The sender is exchanged between the sides of pairs while everything between it and the receiver is held; then only
    the receiver takes what it would have held. `denoising`: share of the gap between the two answers that this path
    restores; `noising`: share that goes with it; both beside random senders of the same site. `whole`: what exchanging
    the sender restores over all paths. Sender and receiver are heads or neurons of the language side, the sender
    first; the receiver `logits` is the direct way.
    """
    refuse_wordless(context)
    refuse_crossed(context)
    sender = context.address(arguments.sender)
    receiver = None if arguments.receiver == LOGITS else context.address(arguments.receiver)
    refuse_pathless(sender, receiver)
    for address in filter(None, (sender, receiver)):
        refuse_unreachable(context, address)
    made = contested(context, arguments.concept, arguments.n)
    told = aligned(context, duels(context, made))
    if len(told) < FEWEST:
        raise too_few(arguments.concept, len(told))
    runs = walked(context, told, [sender, *others(context, sender, CONTROLS, "path")], receiver)
    gaps = runs.clean - runs.corrupt
    if gaps.mean() < GAP["margin"]:
        raise PlannerError(
            f"the target hardly tells the two sides apart (mean gap {gaps.mean():.3f} logits): a share of that would "
            "be noise",
            kind="gap",
            hint="choose a concept that the target's answers show",
        )
    seed = context.derived_seed("path", sender, arguments.receiver, arguments.concept)
    denoising = ratio_of_sums(runs.denoised - runs.corrupt, gaps, seed)
    noising = ratio_of_sums(runs.clean - runs.noised, gaps, seed)
    over_all = transplanted(context, told, [[sender]])
    whole = ratio_of_sums(over_all.denoised - over_all.corrupt, gaps, seed)
    return PathPatched(
        sender=str(sender),
        receiver=arguments.receiver,
        concept=arguments.concept,
        pairs=_shown(context, told, runs),
        quantities={
            "denoising": denoising,
            "noising": noising,
            "whole": whole,
            "gap": Quantity(value=float(gaps.mean()), unit="margin", n=len(told)),
            **made.proof,
        },
        warnings=_warnings(made.found, denoising, noising),
        summary=_summary(arguments, sender, denoising, noising, whole),
    )


def _shown(context: ToolContext, told: Sequence[Duel], runs: Walked) -> tuple[PathPair, ...]:
    largest = np.argsort(-(runs.clean - runs.corrupt), kind="stable")[:SHOWN].tolist()
    return tuple(
        PathPair(
            without=keep_made(context, told[i].pair.without, "pair"),
            with_=keep_made(context, told[i].pair.with_, "pair"),
            question=told[i].pair.with_.question,
            answers=told[i].words,
            clean=float(runs.clean[i]),
            corrupt=float(runs.corrupt[i]),
            denoised=float(runs.denoised[0, i]),
            noised=float(runs.noised[0, i]),
        )
        for i in largest
    )


def _warnings(found: bool, denoising: Quantity, noising: Quantity) -> tuple[str, ...]:
    told = ["pairs were found, not made: they differ in more than the concept"] if found else []
    for name, ratio in (("denoising", denoising), ("noising", noising)):
        if ratio.control_ci is not None and ratio.value <= ratio.control_ci[1]:
            told.append(f"{name} is no more than that of random senders of the site")
    return tuple(told)


def _summary(
    arguments: PathPatchArguments, sender: Address, denoising: Quantity, noising: Quantity, whole: Quantity
) -> str:
    def told(ratio: Quantity) -> str:
        assert ratio.ci is not None
        beside = "" if ratio.control is None else f", control {ratio.control:.3f}"
        return f"{ratio.value:.3f} [{ratio.ci[0]:.3f}, {ratio.ci[1]:.3f}]{beside}"

    return (
        f"{sender} → {arguments.receiver}, `{arguments.concept[:60]}`: the path restores {told(denoising)} of the gap, "
        f"its loss costs {told(noising)}; over all paths {sender} restores {whole.value:.3f} (n = {denoising.n} pairs)."
    )[:400]
