"""`patch`: is a component's activation enough to carry a concept to the answer, and is it needed for that?

Activation patching between the two sides of pairs: *clean* is the picture with the concept, *corrupt* the one without.
Denoising moves the clean activation into the corrupt run, R = (m_patched − m_corrupt) / (m_clean − m_corrupt); noising
moves the corrupt one into the clean run, N = (m_clean − m_patched) / (m_clean − m_corrupt) (Zhang and Nanda 2024).
Both are ratios of sums over pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from store.address import COUNTED, Address, parse_set
from store.errors import PlannerError
from store.records import Model, Quantity
from tools.context import ToolContext
from tools.methods.ablate import refuse_unreachable
from tools.methods.answers import refuse_wordless
from tools.methods.beside import Beside, duels_alike, shares_beside
from tools.methods.contrasts import ratio_of_sums
from tools.methods.corruptions import Compare, Noise, comparable
from tools.methods.directions import directed
from tools.methods.duels import Duel, asks_for_it, duels
from tools.methods.pairing import Direction, Made
from tools.methods.showing import keep_made
from tools.methods.transplants import GAP, Metric, Positions, Runs, transplanted
from tools.methods.values import others
from tools.tool import Arguments, Result, tool

CONTROLS = 3
"""Random sets of as many components of the same sites."""
SHOWN = 6


class PatchArguments(Arguments):
    component: Annotated[
        str,
        Field(
            description="One component, or several patched together: `language.3.mlp.17`, `language.3.head.*`."
        ),
    ]
    concept: Annotated[str, Field(min_length=1, max_length=200, description="What the pictures differ in.")]
    change: Annotated[
        Direction, Field(description="How pairs come about; `both`: half by `add`, half by `remove`.")
    ] = "swap"
    positions: Annotated[
        Positions,
        Field(description="Tokens whose activation is moved (components of the vision tower: all)."),
    ] = "all"
    metric: Annotated[
        Metric,
        Field(description="Logit, or probability, of the answer with the concept minus that without."),
    ] = "margin"
    n: Annotated[int, Field(ge=8, le=100, description="Pairs.")] = 16
    compare: Compare = False
    noise: Noise = 0.4


class PatchedPair(Model):
    """One pair: its pictures as artifacts, question, answers, and the metric in the four runs."""

    without: str
    with_: Annotated[str, Field(serialization_alias="with")]
    question: str
    answers: tuple[str, str]
    clean: float
    corrupt: float
    denoised: float
    noised: float


class Patched(Result):
    """`pairs` are those with the largest gap; `left_out` counts pairs whose two answers are the same."""

    components: tuple[str, ...]
    concept: str
    metric: str
    positions: str
    pairs: tuple[PatchedPair, ...]
    left_out: int


@tool
def patch(context: ToolContext, arguments: PatchArguments) -> Patched:
    """Moves a component's activation between pictures that differ in one concept, and watches the answer.

    `denoising` (sufficiency): share of the gap between the two answers that the activation with the concept restores
    in the picture without it; `noising` (necessity): share that is lost the other way round; 1 is all, 0 none, both can
    leave that range. Over pairs whose question has different answers on the two sides; intervals over pairs; the
    control moves as many random components of the same site (a layer's whole stream has none). With `compare` the same
    for items corrupted by a word of the question and by noise (`denoising_text`, `noising_noise` …), all on the same
    items. Refused where no path leads to the logits.
    """
    refuse_wordless(context)
    addresses = parse_set(arguments.component, context.extent)
    if len(addresses) > 64:
        raise PlannerError(
            f"`{arguments.component}` names {len(addresses)} components", kind="arguments", hint="at most 64"
        )
    for address in addresses:
        refuse_unreachable(context, address)
    made, _ = directed(
        context,
        arguments.concept,
        arguments.change,
        arguments.n,
        wanted=comparable(context) if arguments.compare else asks_for_it,
        most=3 * len(context.images),
    )
    alike = duels_alike(context, made, arguments.noise) if arguments.compare else {}
    told = alike["image"] if alike else duels(context, made)
    sets = [addresses]
    if all(address.part in COUNTED for address in addresses):
        sets += [_control(context, addresses, draw) for draw in range(CONTROLS)]
    runs = transplanted(context, told, sets, arguments.positions, arguments.metric)
    gaps = runs.clean - runs.corrupt
    if gaps.mean() < GAP[arguments.metric]:
        raise PlannerError(
            f"the target hardly tells the two sides apart (mean gap {gaps.mean():.3f} {arguments.metric}): a share of "
            "that would be noise",
            kind="gap",
            hint="choose a concept that the target's answers show, or another `change`",
        )
    seed = context.derived_seed(arguments.component, "patch", arguments.concept)
    denoising = ratio_of_sums(runs.denoised - runs.corrupt, gaps, seed)
    noising = ratio_of_sums(runs.clean - runs.noised, gaps, seed)
    beside = (
        shares_beside(context, alike, sets, arguments.positions, arguments.metric, seed)
        if alike
        else Beside({})
    )
    return Patched(
        components=tuple(map(str, addresses)),
        concept=arguments.concept,
        metric=arguments.metric,
        positions=arguments.positions,
        pairs=_shown(context, told, runs),
        left_out=len(made.pairs) - len(told),
        quantities={
            "denoising": denoising,
            "noising": noising,
            "gap": Quantity(value=float(gaps.mean()), unit=arguments.metric, n=len(told)),
            **made.proof,
            **beside.quantities,
        },
        warnings=(*_warnings(made, denoising, noising), *beside.warnings),
        summary=_summary(arguments, addresses, denoising, noising, float(gaps.mean())),
    )


def _control(context: ToolContext, addresses: Sequence[Address], draw: int) -> list[Address]:
    """As many random components of the same sites, none of them among the patched where the site is large enough."""
    found: list[Address] = []
    for address in addresses:
        free = [
            one
            for one in others(context, address, 10**6, f"patch {draw}")
            if one not in addresses and one not in found
        ]
        found.append(free[0] if free else others(context, address, 1, f"patch {draw}")[0])
    return found


def _shown(context: ToolContext, duels: Sequence[Duel], runs: Runs) -> tuple[PatchedPair, ...]:
    largest = np.argsort(-(runs.clean - runs.corrupt), kind="stable")[:SHOWN].tolist()
    return tuple(
        PatchedPair(
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


def _warnings(made: Made, denoising: Quantity, noising: Quantity) -> tuple[str, ...]:
    found = ["pairs were found, not made: they differ in more than the concept"] if made.found else []
    for name, ratio in (("denoising", denoising), ("noising", noising)):
        if ratio.control is not None and ratio.control_ci and ratio.value <= ratio.control_ci[1]:
            found.append(f"{name} is no more than that of random components of the site")
    return tuple(found)


def _summary(
    arguments: PatchArguments,
    addresses: Sequence[Address],
    denoising: Quantity,
    noising: Quantity,
    gap: float,
) -> str:
    def told(ratio: Quantity) -> str:
        assert ratio.ci is not None
        beside = "no control" if ratio.control is None else f"control {ratio.control:.2f}"
        return f"{ratio.value:.2f} [{ratio.ci[0]:.2f}, {ratio.ci[1]:.2f}], {beside}"

    named = str(addresses[0]) if len(addresses) == 1 else f"{len(addresses)} components"
    return (
        f"{named} at {arguments.positions} tokens, `{arguments.concept[:60]}` ({arguments.change}): restores "
        f"{told(denoising)} of the gap (denoising), its loss costs {told(noising)} (noising); n = {denoising.n} pairs, "
        f"mean gap {gap:.2f} {arguments.metric}."
    )[:400]
