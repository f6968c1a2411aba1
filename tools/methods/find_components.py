"""`find_components`: which components read, carry or write a concept; the inverse of labelling.

Knows the three roles, how pairs for a concept or for a kind of question come about, and how what was found is told.
Attribution patching (Nanda 2023) ranks, patching on other pairs verifies (carriers.py); activations over pairs say what
is read (readers.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from store.address import COUNTED, Address, parse_set
from store.errors import PlannerError
from store.records import Interval, Model, Quantity
from tools.context import ToolContext
from tools.methods.answers import refuse_wordless
from tools.methods.carriers import Carried, Carrier, carriers
from tools.methods.contested import FEWEST, aligned, contested, too_few
from tools.methods.duels import duels
from tools.methods.pairing import Made, pairs_for
from tools.methods.readers import Reader, readers
from tools.tool import Arguments, Result, tool

Role = Literal["reads", "carries", "writes"]


class FindComponentsArguments(Arguments):
    concept: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="A phrase (`red star`), or a kind of question (`color`).",
        ),
    ]
    role: Annotated[
        Role,
        Field(
            description="`reads`: answers to it; `carries`: brings it to the answer; `writes`: says it there directly."
        ),
    ] = "carries"
    among: Annotated[
        str, Field(max_length=200, description="Components: `language.*.head.*`; all where nothing is said.")
    ] = ""
    n: Annotated[int, Field(ge=FEWEST, le=200, description="Pairs: half rank, half verify.")] = 32
    k: Annotated[int, Field(ge=1, le=24, description="Components that are verified.")] = 8


class FoundComponent(Model):
    """One of the first k. `screen` ranked it: its attribution as a share of the gap, of readers the t of its rise;
    `effect` is what verified it, on other pairs: the share that it restores, of readers its rise in sd. `lost` is the
    share that goes with it. `verified` says what stood: that it `restores` a share, that it `costs` one, that it is
    `selective`; a share may be small, and none of these says that it is sufficient or necessary."""

    component: str
    screen: float
    effect: float
    ci: Interval
    control: float | None
    lost: float | None = None
    lost_ci: Interval | None = None
    reading: str = ""
    verified: str = ""


class FoundComponents(Result):
    """`found` are the first k by the screen, best first; those that did not stand are among them."""

    concept: str
    role: Role
    searched: int
    made: Literal["made", "found"]
    found: tuple[FoundComponent, ...]


@tool
def find_components(context: ToolContext, arguments: FindComponentsArguments) -> FoundComponents:
    """Which neurons and heads read, carry or write a concept: searched among all, verified on other pairs.

    `carries`: ranked by attribution patching (activation difference times gradient) on half of the pairs; the first k
    are patched exactly on the other half: `denoising C` (share of the gap between the answers that C restores) and
    `noising C` (share lost without it), beside random components; `shuffled` is what the screen gives when the pairs'
    sides are shuffled, `agreement` the rank correlation of screen and patch, `largest` the largest share that any of
    them may have. `writes`: the same for what a component
    adds directly at the answer position. `reads`: how much its activation rises with the concept (`effect C`, in sd),
    beside random components, and `auroc C` over pictures; says nothing about use. A kind of question as concept asks
    for what carries or writes the answers of that kind.
    """
    components = _components(context, arguments)
    if arguments.role == "reads":
        return _readers(context, arguments, components)
    refuse_wordless(context)
    components = [one for one in components if context.adapter.reaches(one, "all") is None]
    direct = arguments.role == "writes"
    if direct:
        components = [one for one in components if one.tower == "language"]
    if len(components) < 2:
        raise PlannerError(
            f"none of the components of `{arguments.among}` can be searched for what {arguments.role}",
            kind="no_path",
            hint="name some of the language side, such as `language.*.head.*`",
        )
    made = contested(context, arguments.concept, arguments.n)
    told = aligned(context, duels(context, made))
    if len(told) < FEWEST:
        raise too_few(arguments.concept, len(told))
    found = carriers(context, told, components, min(arguments.k, len(components) - 1), direct=direct)
    return FoundComponents(
        concept=arguments.concept,
        role=arguments.role,
        searched=len(components),
        made="found" if made.found else "made",
        found=tuple(_carrier(one) for one in found.carriers),
        quantities=_quantities(found, len(components)) | made.proof,
        warnings=_warnings(made, found),
        summary=_summary(arguments, found, len(components)),
    )


def _components(context: ToolContext, arguments: FindComponentsArguments) -> list[Address]:
    named = parse_set(arguments.among, context.extent) if arguments.among else list(context.extent.all())
    if odd := [one for one in named if one.part not in COUNTED]:
        raise PlannerError(
            f"`{odd[0]}` is neither a neuron nor a head", kind="address", hint="such as `language.*.head.*`"
        )
    return named


def _readers(
    context: ToolContext, arguments: FindComponentsArguments, components: list[Address]
) -> FoundComponents:
    if arguments.concept in context.images.kinds:
        raise PlannerError(
            f"`{arguments.concept}` is a kind of question and holds in no picture more than in another",
            kind="concept",
            hint="name one of its answers as what is read, or ask what carries or writes it",
        )
    made = pairs_for(context, arguments.concept, "add", arguments.n)
    if len(made.pairs) < FEWEST:
        raise too_few(arguments.concept, len(made.pairs))
    found = readers(context, made.pairs, components, arguments.concept, arguments.k)
    return FoundComponents(
        concept=arguments.concept,
        role="reads",
        searched=len(components),
        made="found" if made.found else "made",
        found=tuple(_reader(one) for one in found),
        quantities=_read_quantities(found, len(components)) | made.proof,
        warnings=("pairs were found, not made: they differ in more than the concept",) if made.found else (),
        summary=_read_summary(arguments, found, len(components)),
    )


def _carrier(one: Carrier) -> FoundComponent:
    assert one.denoising.ci is not None
    stood = [name for name, sure in (("restores", one.sufficient), ("costs", one.necessary)) if sure]
    return FoundComponent(
        component=str(one.address),
        screen=one.guess,
        effect=one.denoising.value,
        ci=one.denoising.ci,
        control=one.denoising.control,
        lost=one.noising.value,
        lost_ci=one.noising.ci,
        verified=f"{' and '.join(stood)} a share" if stood else "",
    )


def _reader(one: Reader) -> FoundComponent:
    assert one.effect.ci is not None
    return FoundComponent(
        component=str(one.address),
        screen=one.rank,
        effect=one.effect.value,
        ci=one.effect.ci,
        control=one.effect.control,
        reading=str(one.reading),
        verified="selective" if one.sure else "",
    )


def _quantities(found: Carried, searched: int) -> dict[str, Quantity]:
    told = {f"denoising {one.address}": one.denoising for one in found.carriers}
    told |= {f"noising {one.address}": one.noising for one in found.carriers}
    stood = sum(one.sufficient or one.necessary for one in found.carriers)
    return told | {
        "agreement": found.agreement,
        "shuffled": Quantity(value=found.shuffled, unit="share of the gap, attributed", n=searched),
        "gap": found.gap,
        "verified": Quantity(value=stood, unit="components", n=len(found.carriers)),
        "searched": Quantity(value=searched, unit="components"),
        "largest": Quantity(value=_largest(found), unit="share of the gap", n=len(found.carriers)),
    }


def _largest(found: Carried) -> float:
    """The largest share that a component may have: the furthest end of any interval, or the largest guess."""
    ends = [end for one in found.carriers for both in (one.denoising, one.noising) for end in both.ci or ()]
    return max(map(abs, [*ends, *(one.guess for one in found.carriers)]))


def _read_quantities(found: Sequence[Reader], searched: int) -> dict[str, Quantity]:
    told = {f"effect {one.address}": one.effect for one in found}
    told |= {f"auroc {one.address}": one.area for one in found if one.area is not None}
    return told | {
        "verified": Quantity(value=sum(one.sure for one in found), unit="components", n=len(found)),
        "searched": Quantity(value=searched, unit="components"),
    }


def _warnings(made: Made, found: Carried) -> tuple[str, ...]:
    told = ["pairs were found, not made: they differ in more than the concept"] if made.found else []
    if made.rejected:
        told.append(f"the judge rejected {made.rejected} of {made.rejected + len(made.pairs)} pairs")
    if found.agreement.ci is not None and found.agreement.ci[0] <= 0:
        told.append(
            "the screen does not surely agree with patching: others may carry more than those it put first"
        )
    if all(abs(one.guess) <= found.shuffled for one in found.carriers):
        told.append("no component is attributed more than pairs with shuffled sides give")
    return tuple(told)


def _summary(arguments: FindComponentsArguments, found: Carried, searched: int) -> str:
    stood = [one for one in found.carriers if one.sufficient or one.necessary]
    best = sorted(stood, key=lambda one: -max(one.denoising.value, one.noising.value))[:3]
    listed = "; ".join(
        f"{one.address} restores {one.denoising.value:.3f}, costs {one.noising.value:.3f}" for one in best
    )
    return (
        f"{arguments.role} `{arguments.concept[:60]}`: {len(stood)} of the first {len(found.carriers)} among "
        f"{searched} stood when patched on {found.gap.n} other pairs ({listed or 'none'}; shares of the gap of "
        f"{found.gap.value:.2f} logits). Screen and patch agree at {found.agreement.value:.2f} (rank correlation)."
    )[:400]


def _read_summary(arguments: FindComponentsArguments, found: Sequence[Reader], searched: int) -> str:
    stood = [one for one in found if one.sure]
    listed = "; ".join(
        f"{one.address} ({one.reading}) {one.effect.value:+.2f} sd, control {one.effect.control or 0:.2f}"
        for one in stood[:3]
    )
    return (
        f"reads `{arguments.concept[:60]}`: {len(stood)} of the first {len(found)} among {searched} stood on "
        f"{found[0].effect.n if found else 0} other pairs: {listed or 'none'}."
    )[:400]
