"""`make_pairs`: does one concept, added, removed or swapped with all else equal, move a component?

Knows pairs and contrasts; measures both sides of every pair on the component and on random ones of its site.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
from jaxtyping import Float
from pydantic import Field

from store.address import Address
from store.records import Model, Quantity, Reading
from tools.context import ToolContext
from tools.methods.beside import effects_beside
from tools.methods.contrasts import paired, paired_p, with_control
from tools.methods.corruptions import Compare, Noise, comparable
from tools.methods.directions import directed
from tools.methods.pairing import Direction, Made
from tools.methods.showing import Component, keep_made, keep_overlays
from tools.methods.values import known, others, unit, values
from tools.scoring.intervals import wilson
from tools.stimuli import Pair
from tools.tool import Arguments, Result, tool

SHOWN = 6
"""Pairs that are kept as pictures."""


class MakePairsArguments(Arguments):
    concept: Annotated[
        str, Field(min_length=1, max_length=200, description="What the two sides differ in: `red star`.")
    ]
    component: Component
    reading: Reading = Reading()
    change: Annotated[
        Direction,
        Field(
            description="`add` it where it is missing, `remove` it, `swap` one word of it for another, or `both`: "
            "added in one half of the pairs, removed in the other."
        ),
    ] = "add"
    given: Annotated[
        str, Field(max_length=200, description="What must hold on both sides: `moon & !dark background`.")
    ] = ""
    n: Annotated[int, Field(ge=4, le=200, description="Pairs.")] = 24
    skip: Annotated[
        int, Field(ge=0, le=200, description="Pairs left out because an earlier call had them.")
    ] = 0
    compare: Compare = False
    noise: Noise = 0.4


class ShownPair(Model):
    """Both sides as artifacts, with the component's value on each in activations."""

    concept: str
    without: str
    with_: Annotated[str, Field(serialization_alias="with")]
    without_key: str
    with_key: str
    without_overlay: str = ""
    with_overlay: str = ""
    changed: str
    a_without: float
    a_with: float


class MadePairs(Result):
    """`pairs` holds a few of them, those of the middle effect among them; `p` is uncorrected."""

    concept: str
    given: str = ""
    component: str
    reading: Reading
    change: Direction
    pairs: tuple[ShownPair, ...]
    rejected: int
    refused: int
    found: bool
    p: float


@tool
def make_pairs(context: ToolContext, arguments: MakePairsArguments) -> MadePairs:
    """Makes pairs of pictures that differ in one concept alone, and measures a component on both sides.

    `effect` is the mean of (with − without) in sd of the component, paired, with interval, sign share and p (not
    corrected for other phrases that you try); the control is the mean size of the same number for random components of
    the site. The strongest test of what a component responds to; `given` makes it one of a combination (of `a & b`:
    add `a` given `b`; of `a & !b`: add `b` given `a`, which should lower it). Without an editor, pairs are found, and
    say less. With `change="both"` also `effect_added` and `effect_removed`, over half of the pairs each. With `compare`
    also `effect_text` and `effect_noise`, with − corrupt on the same items, and how far each corruption leads from the
    data (`off_manifold_…`, control: the items untouched).
    """
    address = context.address(arguments.component)
    addresses = [address, *others(context, address)]
    comparing = comparable(context) if arguments.compare else None
    made, added = directed(
        context,
        arguments.concept,
        arguments.change,
        arguments.n,
        given=arguments.given,
        skip=arguments.skip,
        wanted=comparing or (lambda pair: arguments.reading.scope == "visual" or bool(pair.with_.question)),
    )
    found = _answered(context, addresses, arguments, made.pairs, added)
    beside = (
        effects_beside(context, addresses, arguments.reading, made.pairs, arguments.noise)
        if arguments.compare
        else {}
    )
    return MadePairs(
        concept=arguments.concept,
        given=arguments.given,
        component=str(address),
        reading=arguments.reading,
        change=arguments.change,
        pairs=_shown(context, address, arguments.reading, made.pairs, found.sides),
        rejected=made.rejected,
        refused=made.refused,
        found=made.found,
        p=found.quantities["p"].value,
        quantities=found.quantities | made.proof | beside,
        warnings=_warnings(made, found.quantities["effect"], arguments.n),
        summary=_summary(address, arguments, found.quantities, made),
    )


class _Answered(NamedTuple):
    """The component's values on the sides with and without the concept, and what its differences come to."""

    sides: Float[np.ndarray, "side pair"]
    quantities: dict[str, Quantity]


def _answered(
    context: ToolContext,
    addresses: Sequence[Address],
    arguments: MakePairsArguments,
    pairs: Sequence[Pair],
    added: int | None,
) -> _Answered:
    """Of the first address, beside the others."""
    both = [*(pair.with_ for pair in pairs), *(pair.without for pair in pairs)]
    sides = values(context, addresses, arguments.reading, both).reshape(2, len(pairs), len(addresses))
    own, rest = np.split(sides[0] - sides[1], [1], axis=1)
    sd, *sds = (unit(known(context, one, arguments.reading)) for one in addresses)
    seed = context.derived_seed(addresses[0], "pairs", arguments.concept, arguments.given, arguments.change)
    effect = with_control(paired(own[:, 0], sd, seed=seed), rest.mean(axis=0) / np.array(sds), seed=seed)
    up = wilson(int((own > 0).sum()), len(pairs))
    with_, without = (float(side.mean()) for side in sides[..., 0])
    return _Answered(
        sides[..., 0],
        {
            "effect": effect,
            "sign_share": Quantity(
                value=up.value, unit="share of pairs", ci=(up.low, up.high), n=up.n, control=0.5
            ),
            "p": Quantity(value=paired_p(own[:, 0]), unit="probability", n=effect.n),
            "mean_with": Quantity(value=with_, unit="activation", n=effect.n),
            "mean_without": Quantity(value=without, unit="activation", n=effect.n),
            **_by_direction(own[:, 0], sd, added, seed),
        },
    )


def _by_direction(
    differences: Float[np.ndarray, "pair"], sd: float, added: int | None, seed: int
) -> dict[str, Quantity]:
    """The effect over the pairs to which the concept was added, and over those from which it was removed."""
    if added is None:
        return {}
    return {
        "effect_added": paired(differences[:added], sd, seed=seed),
        "effect_removed": paired(differences[added:], sd, seed=seed),
    }


def _shown(
    context: ToolContext,
    address: Address,
    reading: Reading,
    pairs: list[Pair],
    sides: Float[np.ndarray, "side pair"],
) -> tuple[ShownPair, ...]:
    """Pairs evenly over the effects, largest first, so that those are seen that fail."""
    order = np.argsort(-(sides[0] - sides[1]), kind="stable")
    places = [int(order[i]) for i in np.unique(np.linspace(0, len(order) - 1, SHOWN).round().astype(int))]
    both = [side for place in places for side in (pairs[place].without, pairs[place].with_)]
    overlays = keep_overlays(context, address, reading, both)
    images = [keep_made(context, side, "pair") for side in both]
    return tuple(
        ShownPair(
            concept=pairs[place].concept,
            without=images[2 * i],
            with_=images[2 * i + 1],
            without_key=pairs[place].without.key,
            with_key=pairs[place].with_.key,
            without_overlay=overlays[2 * i],
            with_overlay=overlays[2 * i + 1],
            changed=pairs[place].changed,
            a_without=float(sides[1, place]),
            a_with=float(sides[0, place]),
        )
        for i, place in enumerate(places)
    )


def _warnings(made: Made, effect: Quantity, asked: int) -> tuple[str, ...]:
    found = []
    if made.found:
        found.append("pairs were found, not made: they differ in more than the concept")
    if made.rejected:
        found.append(f"the judge rejected {made.rejected} of {made.rejected + len(made.pairs)} pairs")
    if len(made.pairs) < asked:
        found.append(f"{len(made.pairs)} pairs came about, not {asked}")
    if effect.control is not None and abs(effect.value) <= effect.control:
        found.append("random components of the same site move as much")
    return tuple(found)


def _summary(address: Address, arguments: MakePairsArguments, found: dict[str, Quantity], made: Made) -> str:
    effect, up, p = (found[name] for name in ("effect", "sign_share", "p"))
    assert effect.ci is not None
    control = "unknown" if effect.control is None else f"{effect.control:.2f} sd"
    where = f" given `{arguments.given[:60]}`" if arguments.given else ""
    return (
        f"{address}, {arguments.reading}: {arguments.change} `{arguments.concept[:60]}`{where} moves it by "
        f"{effect.value:+.2f} sd [{effect.ci[0]:.2f}, {effect.ci[1]:.2f}] (with − without, n = {effect.n} "
        f"{'found' if made.found else 'made'} pairs, up in {up.value:.0%}, p = {p.value:.2g}); random components of "
        f"the site {control}; {made.rejected} rejected."
    )
