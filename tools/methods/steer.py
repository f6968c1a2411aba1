"""`steer`: whether more of a component makes the target say the concept, at a stated KL divergence.

Pushes that move answers equally far are compared: the component's own, random components of its site, random directions
of what the site writes. What anything does when it is pushed hard enough is no finding; what this does and a random
push of equal divergence does not, is. Silencing can be compared in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from pydantic import Field

from store.address import Address
from store.errors import PlannerError
from store.records import Answer, Quantity, Reading
from store.values import Estimate
from tools.context import ToolContext
from tools.methods.ablate import refuse_unreachable
from tools.methods.about import Led, Subject, about, other, subject
from tools.methods.answers import refuse_wordless
from tools.methods.matched import KEPT_OUT, LEAST, Match, Moved
from tools.methods.pushes import Push, directions_push, others_push, others_silenced, own_push, silencing
from tools.methods.showing import Component
from tools.methods.sufficiency import SILENT, verdict
from tools.methods.values import others
from tools.scoring.intervals import bootstrap_mean
from tools.tool import Arguments, Result, tool

How = Literal["add", "silence"]
ELSEWHERE = 16
"""Questions about other things, about."""
FEWEST = 6
"""Questions of either sort without which there is nothing to measure."""
NEARLY = 0.75
"""Share of the farthest that controls can be pushed at which they are still compared."""


class SteerArguments(Arguments):
    component: Component
    concept: Annotated[str, Field(min_length=1, description="What it is said to stand for: `red star`.")]
    reading: Annotated[Reading, Field(description="Which end is pushed, over which tokens.")] = Reading()
    how: Annotated[
        How, Field(description="`silence` takes it away and compares with as much less of others.")
    ] = "add"
    kind: Annotated[
        str, Field(description="The kind of question; the one answered best where none is named.")
    ] = ""
    kl: Annotated[float, Field(gt=0, le=5, description="KL divergence of next tokens to reach, in nats.")] = (
        0.3
    )
    n: Annotated[int, Field(ge=12, le=120, description="Questions about the concept.")] = 24
    most: Annotated[
        float,
        Field(gt=0, le=100, description="Largest push, in ways from its mean to the largest value seen."),
    ] = 10.0


class Steered(Result):
    """`sufficient` says whether the push raises the answers that name the concept, surely, beyond both controls and
    beyond what other answers gain; of `silence` it stays open. `answers` are the concept's words among the answers to
    questions of `kind`; `dose` counts steps of what `along` says."""

    component: str
    concept: str
    reading: Reading
    how: How
    kind: str
    answers: tuple[str, ...]
    along: str
    dose: float
    sufficient: Answer
    because: str


class Compared(NamedTuple):
    """The component's push and both controls on the same questions about the concept; `elsewhere` is the component's
    on questions about other things, None where too few are known."""

    own: Moved
    components: Moved
    directions: Moved
    elsewhere: Moved | None
    along: str


@tool
def steer(context: ToolContext, arguments: SteerArguments) -> Steered:
    """Whether more of a component makes the target say the concept (sufficiency), at a matched KL divergence.

    Adds to the component until next tokens at the answer have moved by `kl` nats (found on some questions, measured on
    others). `effect`: how many logits the answers that name the concept gain on the other answers, on questions that
    ask for it and have another right answer; its control are random components of the site at the same divergence,
    `directions` has random directions, `elsewhere` is what right answers to other questions gain. Says whether it is
    `sufficient`: surely above 0, above both controls and above elsewhere. With how=`silence` it is taken away instead:
    what the right answer loses, beside random components scaled to the same divergence. Refused where no question asks
    for the concept, or where `most` does not reach the divergence.
    """
    address = context.address(arguments.component)
    refuse_wordless(context)
    refuse_unreachable(context, address, arguments.reading.scope)
    chosen = subject(context, arguments.concept, arguments.kind)
    compared = (_added if arguments.how == "add" else _silenced)(context, address, arguments, chosen)
    seed = context.derived_seed(address, "steer", arguments.concept)
    quantities = _quantities(compared, seed)
    answer, because = verdict(quantities) if arguments.how == "add" else SILENT
    return Steered(
        component=str(address),
        concept=arguments.concept,
        reading=arguments.reading,
        how=arguments.how,
        kind=chosen.kind,
        answers=chosen.words,
        along=compared.along,
        dose=compared.own.dose,
        sufficient=answer,
        because=because,
        quantities=quantities,
        warnings=_warnings(compared),
        summary=_summary(address, arguments, chosen, quantities, because),
    )


def _added(context: ToolContext, address: Address, arguments: SteerArguments, chosen: Subject) -> Compared:
    """Everything at the divergence that is asked for, or at NEARLY all of the smaller one that a control can reach."""
    scope = arguments.reading.scope
    asked = about(context, chosen, KEPT_OUT + arguments.n)
    match = _match(
        context, arguments, asked, [i for i in range(KEPT_OUT, len(asked.right)) if not asked.right[i]]
    )
    push = own_push(context, address, arguments.reading, arguments.concept)
    siblings = others(context, address, KEPT_OUT + arguments.n, "steer")
    controls = {
        f"{address.site} {scope} {'+'.join(str(one.index) for one in siblings)}": others_push(
            context, siblings, scope
        ),
        f"{address.site} {scope} directions": directions_push(context, address, scope),
    }
    most = min(match.reach(control, name) for name, control in controls.items())
    kl = min(arguments.kl, NEARLY * most)
    if kl < LEAST:
        raise PlannerError(
            f"random pushes at `{address.site}` move next tokens by {most:.1g} nats at most: nothing to compare with",
            kind="no_dose",
            hint="read the component at other tokens, or leave the claim undetermined",
        )
    own = match.own(push, kl, arguments.most)
    components, directions = (match.control(control, kl, name) for name, control in controls.items())
    return Compared(own, components, directions, _elsewhere(context, chosen, push, own.dose), push.along)


def _silenced(context: ToolContext, address: Address, arguments: SteerArguments, chosen: Subject) -> Compared:
    """Losses are counted above 0. Controls are scaled until they move next tokens as far as its absence does."""
    scope = arguments.reading.scope
    asked = about(context, chosen, KEPT_OUT + arguments.n, right=True)
    match = _match(context, arguments, asked, range(min(KEPT_OUT, len(asked.right) // 2), len(asked.right)))
    push = silencing(address, scope)
    own = match.at(push, 1.0)
    kl = float(own.kl.mean())
    if kl < LEAST:
        raise PlannerError(
            f"without `{address}` next tokens move by {kl:.1g} nats: there is nothing to match",
            kind="no_dose",
            hint="`ablate` says within which bounds it is unused",
        )
    siblings = others(context, address, KEPT_OUT + arguments.n, "steer")
    components = match.control(others_silenced(siblings, scope), kl)
    directions = match.control(directions_push(context, address, scope), kl)
    elsewhere = _elsewhere(context, chosen, push, 1.0)
    return Compared(
        _lost(own),
        _lost(components),
        _lost(directions),
        None if elsewhere is None else _lost(elsewhere),
        push.along,
    )


def _match(context: ToolContext, arguments: SteerArguments, asked: Led, measured: Sequence[int]) -> Match:
    if len(measured) < FEWEST:
        raise PlannerError(
            f"{len(measured)} questions about `{arguments.concept}` can be measured, too few",
            kind="no_question",
            hint="name another `kind`, or leave the claim undetermined",
        )
    return Match(context, asked, measured)


def _elsewhere(context: ToolContext, chosen: Subject, push: Push, dose: float) -> Moved | None:
    rest = other(context, chosen, ELSEWHERE)
    known = range(len(rest.right))
    return Match(context, rest, known).at(push, dose) if len(known) >= FEWEST else None


def _lost(moved: Moved) -> Moved:
    return moved._replace(lead=-moved.lead, said=-moved.said)


def _quantities(compared: Compared, seed: int) -> dict[str, Quantity]:
    own = bootstrap_mean(compared.own.lead, seed=seed)
    said = bootstrap_mean(compared.own.said, seed=seed)
    found = {
        "effect": _beside(own, compared.components.lead),
        "directions": _beside(own, compared.directions.lead),
        "beyond_components": _quantity(_paired(compared.own, compared.components, seed)),
        "beyond_directions": _quantity(_paired(compared.own, compared.directions, seed)),
        "said": _quantity(said, "of the questions", float(compared.components.said.mean())),
        "kl": _quantity(
            bootstrap_mean(compared.own.kl, seed=seed), "nats", float(compared.components.kl.mean())
        ),
    }
    if compared.elsewhere is not None:
        found["elsewhere"] = _quantity(bootstrap_mean(compared.elsewhere.lead, seed=seed))
    return found


def _paired(own: Moved, control: Moved, seed: int) -> Estimate:
    return bootstrap_mean(own.lead - control.lead, seed=seed)


def _beside(effect: Estimate, control: Float[np.ndarray, "row"]) -> Quantity:
    low, high = np.quantile(control, [0.025, 0.975])
    return _quantity(effect, control=float(control.mean())).model_copy(
        update={"control_ci": (float(low), float(high))}
    )


def _quantity(found: Estimate, unit: str = "logits of lead", control: float | None = None) -> Quantity:
    return Quantity(value=found.value, unit=unit, ci=(found.low, found.high), n=found.n, control=control)


def _warnings(compared: Compared) -> tuple[str, ...]:
    own = float(compared.own.kl.mean())
    found = []
    for control, name in ((compared.components, "components"), (compared.directions, "directions")):
        kl = float(control.kl.mean())
        if not 0.5 <= kl / max(own, 1e-12) <= 2:
            found.append(f"random {name} move next tokens by {kl:.2g} nats, not by {own:.2g}")
    if compared.elsewhere is None:
        found.append("no questions about other things are known")
    return tuple(found)


def _summary(
    address: Address,
    arguments: SteerArguments,
    chosen: Subject,
    quantities: dict[str, Quantity],
    because: str,
) -> str:
    effect, directions = quantities["effect"], quantities["directions"]
    assert effect.ci is not None
    done = "pushed" if arguments.how == "add" else "silenced"
    verb = "gains" if arguments.how == "add" else "loses"
    words = "/".join(chosen.words)[:60]
    elsewhere = f", other answers {quantities['elsewhere'].value:+.2f}" if "elsewhere" in quantities else ""
    return (
        f"{address} {done} to {quantities['kl'].value:.2g} nats: {words} {verb} {effect.value:+.2f} logits "
        f"[{effect.ci[0]:.2f}, {effect.ci[1]:.2f}] on {effect.n} {chosen.kind} questions; random components "
        f"{effect.control:+.2f}, random directions {directions.control:+.2f}{elsewhere}. "
        f"{because[0].upper()}{because[1:]}."
    )[:400]
