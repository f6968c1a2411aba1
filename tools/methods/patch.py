"""`patch`: is a component's activation enough to carry a concept to the answer, and is it needed for that?

Activation patching between the two sides of pairs: *clean* is the picture with the concept, *corrupt* the one without.
Denoising moves the clean activation into the corrupt run, R = (m_patched − m_corrupt) / (m_clean − m_corrupt); noising
moves the corrupt one into the clean run, N = (m_clean − m_patched) / (m_clean − m_corrupt) (Zhang and Nanda 2024).
Both are ratios of sums over pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from store.address import COUNTED, Address, parse_set
from store.errors import PlannerError
from tools.context import ToolContext
from tools.methods.ablate import refuse_unreachable
from tools.methods.answers import refuse_wordless
from tools.methods.beside import Beside, duels_alike, shares_beside
from tools.methods.corruptions import Compare, Noise, comparable
from tools.methods.directions import directed
from tools.methods.duels import asks_for_it, duels
from tools.methods.moved import MovedPair, Shares, doubts, in_words, shares_of, shown_pairs
from tools.methods.pairing import Direction
from tools.methods.transplants import Metric, Positions, transplanted
from tools.methods.values import others
from tools.tool import Arguments, Result, tool

CONTROLS = 3
"""Random sets of as many components of the same sites."""
SHOWN = 6
MOST = 64
"""Components that are patched together."""


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


class Patched(Result):
    """`pairs` are those with the largest gap; `left_out` counts pairs whose two answers are the same."""

    components: tuple[str, ...]
    concept: str
    metric: str
    positions: str
    pairs: tuple[MovedPair, ...]
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
    addresses = _meant(context, arguments)
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
    seed = context.derived_seed(arguments.component, "patch", arguments.concept)
    shares = shares_of(runs, arguments.metric, seed)
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
        pairs=shown_pairs(context, told, runs, SHOWN),
        left_out=len(made.pairs) - len(told),
        quantities=shares.quantities() | made.proof | beside.quantities,
        warnings=(*doubts(made.found, shares, "components"), *beside.warnings),
        summary=_summary(arguments, addresses, shares),
    )


def _meant(context: ToolContext, arguments: PatchArguments) -> list[Address]:
    """The components, each with a path from the positions that are meant to the logits."""
    found = list(parse_set(arguments.component, context.extent))
    if len(found) > MOST:
        raise PlannerError(
            f"`{arguments.component}` names {len(found)} components", kind="arguments", hint=f"at most {MOST}"
        )
    for address in found:
        refuse_unreachable(context, address, "all" if address.tower == "vision" else arguments.positions)
    return found


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


def _summary(arguments: PatchArguments, addresses: Sequence[Address], shares: Shares) -> str:
    named = str(addresses[0]) if len(addresses) == 1 else f"{len(addresses)} components"
    return (
        f"{named} at {arguments.positions} tokens, `{arguments.concept[:60]}` ({arguments.change}): restores "
        f"{in_words(shares.denoising, 2)} of the gap (denoising), its loss costs {in_words(shares.noising, 2)} "
        f"(noising); n = {shares.gap.n} pairs, mean gap {shares.gap.value:.2f} {arguments.metric}."
    )[:400]
