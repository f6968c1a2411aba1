"""`attribution_patching`: everything ranked by gradients, the first verified exactly, and how far gradients may be
believed at each site.

Knows which components are patched, and how guess and patch are compared; guesses are attribution.py's (Nanda 2023),
patches transplants.py's. The agreement is taken over components drawn at random from a site, not over the best.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from jaxtyping import Float
from pydantic import Field

from store.address import COUNTED, Address, parse_set
from store.errors import PlannerError
from store.records import Interval, Model, Quantity
from tools.context import ToolContext
from tools.methods.answers import refuse_wordless
from tools.methods.attention import spearman
from tools.methods.attribution import attributed
from tools.methods.contested import FEWEST, aligned, contested, too_few
from tools.methods.contrasts import ratio_of_sums
from tools.methods.duels import Duel, duels
from tools.methods.showing import keep
from tools.methods.transplants import GAP, Runs, transplanted
from tools.pictures import sheet
from tools.tool import Arguments, Result, tool

if TYPE_CHECKING:
    from PIL.Image import Image

DRAWS = 400
LEAST = 6
"""Components of a site below which it is taken together with its like in all layers: fewer can't beat chance."""
SHOWN = 4


class AttributionPatchingArguments(Arguments):
    concept: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="A phrase (`red star`), or a kind of question (`color`): what the pairs differ in.",
        ),
    ]
    among: Annotated[
        str, Field(max_length=200, description="Components: `language.*.head.*`; all where nothing is said.")
    ] = ""
    n: Annotated[int, Field(ge=FEWEST, le=100, description="Pairs.")] = 12
    k: Annotated[int, Field(ge=1, le=24, description="Components that are verified.")] = 8
    per_site: Annotated[
        int, Field(ge=LEAST, le=64, description="Random components of each site that are patched as well.")
    ] = 6


class VerifiedComponent(Model):
    """A component as gradients guessed it and as patching found it, in shares of the gap; `control` is the mean of
    random components of all sites."""

    component: str
    guess: float
    exact: float
    ci: Interval
    control: float | None


class SiteAgreement(Model):
    """Rank correlation of guess and patch over `n` random components of a site (`language.*.head`: heads of all layers,
    where each has few); `chance` is what 95 of 100 shufflings
    of the guesses stay below."""

    site: str
    spearman: float
    ci: Interval
    chance: float
    n: int


class AttributionPatching(Result):
    """`verified` are the first k by their guess, best first; `sites` those of which enough components were patched."""

    concept: str
    searched: int
    verified: tuple[VerifiedComponent, ...]
    sites: tuple[SiteAgreement, ...]


class Agreement(NamedTuple):
    """A rank correlation with its interval over components, and what shuffled guesses reach."""

    value: float
    ci: Interval
    chance: float


@tool
def attribution_patching(
    context: ToolContext, arguments: AttributionPatchingArguments
) -> AttributionPatching:
    """Ranks all components by activation difference times gradient on pairs, then patches exactly to check the ranking.

    `denoising C` for each of the first k: the share of the gap between the two answers that C's activation restores
    when it is moved into the picture without the concept, exactly, beside random components. `spearman SITE`: rank
    correlation of guess and exact patch over random components of each site (0: the guesses order nothing there; its
    control is what shuffled guesses reach), `spearman` over all of them. Same pairs on both sides: for claims about
    single components use `find_components`, which verifies on others.
    """
    refuse_wordless(context)
    components = _components(context, arguments)
    made = contested(context, arguments.concept, arguments.n)
    told = aligned(context, duels(context, made))
    if len(told) < FEWEST:
        raise too_few(arguments.concept, len(told))
    guessed = attributed(context, told, components)
    gap = float(guessed.gaps.mean())
    if gap < GAP["margin"]:
        raise PlannerError(
            f"the target hardly tells the two sides apart (mean gap {gap:.3f} logits): a share of that would be noise",
            kind="gap",
            hint="choose a concept that the target's answers show",
        )
    shares = guessed.denoising.sum(axis=0) / guessed.gaps.sum()
    best = np.argsort(-np.abs(shares), kind="stable")[: arguments.k].tolist()
    drawn = _drawn(context, components, arguments.per_site)
    patched = list(dict.fromkeys([*best, *drawn]))
    runs = transplanted(context, told, [[components[place]] for place in patched])
    exact = (runs.denoised - runs.corrupt).sum(axis=1) / (runs.clean - runs.corrupt).sum()
    column = {place: number for number, place in enumerate(patched)}
    seed = context.derived_seed("attribution patching", arguments.concept)
    sites = _by_site(components, drawn, shares, exact[[column[place] for place in drawn]], seed)
    overall = agreement(shares[drawn], exact[[column[place] for place in drawn]], seed)
    controls = [column[place] for place in drawn if place not in best]
    verified = _verified(runs, len(best), controls, seed)
    quantities = {f"denoising {components[place]}": one for place, one in zip(best, verified, strict=True)}
    return AttributionPatching(
        concept=arguments.concept,
        searched=len(components),
        verified=tuple(_row(components[place], shares[place], quantities) for place in best),
        sites=sites,
        quantities=quantities
        | {f"spearman {one.site}": _told(one) for one in sites}
        | {
            "spearman": Quantity(
                value=overall.value,
                unit="rank correlation",
                ci=overall.ci,
                n=len(drawn),
                control=overall.chance,
            ),
            "gap": Quantity(value=gap, unit="logits", n=len(told)),
            "searched": Quantity(value=len(components), unit="components"),
            **made.proof,
        },
        artifacts={"pairs": keep(context, sheet(_pictures(told[:SHOWN]), columns=2))},
        warnings=_warnings(made.found, sites),
        summary=_summary(arguments, overall, sites, components, best, verified),
    )


def agreement(
    guess: Float[np.ndarray, "component"], exact: Float[np.ndarray, "component"], seed: int
) -> Agreement:
    """Rank correlation of guesses and patches, resampled over components."""
    random = np.random.default_rng(seed)
    value = spearman(guess, exact)
    picked = random.integers(len(guess), size=(DRAWS, len(guess)))
    low, high = np.quantile([spearman(guess[rows], exact[rows]) for rows in picked], [0.025, 0.975])
    mixed = [spearman(random.permutation(guess), exact) for _ in range(DRAWS)]
    ci = (min(float(low), value), max(float(high), value))
    return Agreement(value, ci, float(np.quantile(mixed, 0.95)))


def _components(context: ToolContext, arguments: AttributionPatchingArguments) -> list[Address]:
    named = parse_set(arguments.among, context.extent) if arguments.among else list(context.extent.all())
    if odd := [one for one in named if one.part not in COUNTED]:
        raise PlannerError(
            f"`{odd[0]}` is neither a neuron nor a head", kind="address", hint="such as `language.*.head.*`"
        )
    reached = [one for one in named if context.adapter.reaches(one, "all") is None]
    if len(reached) < 2:
        raise PlannerError(
            f"fewer than two of the components of `{arguments.among}` have a path to the answer",
            kind="no_path",
            hint="name some of the language side, such as `language.*.head.*`",
        )
    return reached


def _drawn(context: ToolContext, components: Sequence[Address], per_site: int) -> list[int]:
    """Numbers of so many random components of every site."""
    held: dict[str, list[int]] = {}
    for place, address in enumerate(components):
        held.setdefault(address.site, []).append(place)
    found = []
    for site, places in held.items():
        order = context.random("agreement", site).permutation(len(places))[:per_site]
        found += [places[number] for number in sorted(order)]
    return found


def _by_site(
    components: Sequence[Address],
    drawn: Sequence[int],
    shares: Float[np.ndarray, "component"],
    exact: Float[np.ndarray, "drawn"],
    seed: int,
) -> tuple[SiteAgreement, ...]:
    found = []
    held: dict[str, list[int]] = {}
    counts = Counter(components[place].site for place in drawn)
    for number, place in enumerate(drawn):
        one = components[place]
        few = counts[one.site] < LEAST
        held.setdefault(f"{one.tower}.*.{one.part}" if few else one.site, []).append(number)
    for site, mine in held.items():
        if len(mine) < LEAST:
            continue
        rho = agreement(shares[[drawn[number] for number in mine]], exact[mine], seed)
        found.append(SiteAgreement(site=site, spearman=rho.value, ci=rho.ci, chance=rho.chance, n=len(mine)))
    return tuple(found)


def _verified(runs: Runs, best: int, controls: Sequence[int], seed: int) -> list[Quantity]:
    """Exact denoising of each of the first sets, beside the mean of the controls."""
    gaps = runs.clean - runs.corrupt
    return [ratio_of_sums(runs.denoised[[one, *controls]] - runs.corrupt, gaps, seed) for one in range(best)]


def _row(address: Address, guess: float, quantities: dict[str, Quantity]) -> VerifiedComponent:
    exact = quantities[f"denoising {address}"]
    assert exact.ci is not None
    return VerifiedComponent(
        component=str(address), guess=float(guess), exact=exact.value, ci=exact.ci, control=exact.control
    )


def _told(one: SiteAgreement) -> Quantity:
    return Quantity(value=one.spearman, unit="rank correlation", ci=one.ci, n=one.n, control=one.chance)


def _pictures(told: Sequence[Duel]) -> list[Image]:
    return [side.image for duel in told for side in (duel.pair.without, duel.pair.with_)]


def _warnings(found: bool, sites: Sequence[SiteAgreement]) -> tuple[str, ...]:
    told = ["pairs were found, not made: they differ in more than the concept"] if found else []
    if loose := [one.site for one in sites if one.spearman <= one.chance]:
        told.append(f"gradients order components no better than chance, surely, at {', '.join(loose)}"[:300])
    return tuple(told)


def _summary(
    arguments: AttributionPatchingArguments,
    overall: Agreement,
    sites: Sequence[SiteAgreement],
    components: Sequence[Address],
    best: Sequence[int],
    verified: Sequence[Quantity],
) -> str:
    told = "; ".join(
        f"{components[place]} {one.value:.3f}" for place, one in list(zip(best, verified, strict=True))[:3]
    )
    ranked = sorted(sites, key=lambda one: one.spearman)
    ends = f", from {ranked[0].spearman:.2f} at {ranked[0].site} to {ranked[-1].spearman:.2f} at {ranked[-1].site}"
    return (
        f"`{arguments.concept[:60]}`, {len(components)} components: guess and exact patch agree at {overall.value:.2f} "
        f"(rank correlation, shuffled below {overall.chance:.2f}){ends if ranked else ''}. "
        f"Exactly restored shares of the gap: {told} ({verified[0].n} pairs)."
    )[:400]
