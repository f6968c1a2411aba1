"""`ablate`: what the target can no longer answer without a component.

Silences it on questions with known answers and compares margins row by row: with random components of the same site,
which must matter less, and with the whole site, which must matter at all. Equivalence after Schuirmann 1987.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field

from store.address import Address
from store.errors import PlannerError
from store.records import Answer, Interval, Model, Quantity, Scope
from store.values import Estimate
from tools.context import ToolContext
from tools.methods.answers import Asked, Margins, Mode, asked, refuse_wordless
from tools.methods.companions import companions, random_groups
from tools.methods.showing import Component
from tools.methods.silence import Compared, compare
from tools.scoring.correction import benjamini_hochberg
from tools.scoring.equivalence import Equivalence, equivalence
from tools.scoring.intervals import bootstrap_mean, wilson
from tools.tool import Arguments, Result, tool

CONTROLS = 6
"""Random components of the same site; each question has one of them silenced, so that they cost one row a question."""

LEVEL = 0.05
"""False discoveries among the kinds that a component is said to be necessary for."""


class AblateArguments(Arguments):
    component: Component
    kinds: Annotated[
        tuple[str, ...], Field(max_length=16, description="Kinds of questions; all where none is named.")
    ] = ()
    mode: Annotated[Mode, Field(description="What stands in its place.")] = "mean"
    n: Annotated[int, Field(ge=8, le=200, description="Questions of each kind.")] = 16
    delta: Annotated[
        float, Field(gt=0, le=10, description="Drop of the margin, in logits, below which it counts as none.")
    ] = 0.1
    group: Annotated[
        int,
        Field(
            ge=0, le=8, description="Components most correlated with it that are silenced with it: backups."
        ),
    ] = 0


class KindEffect(Model):
    """One kind of question. Drops are in logits of the margin, above 0 where silencing hurts; `inner` is the 90 %
    interval, `detectable` the smallest drop that these questions would have shown four times in five. `control` is
    the mean drop of random components, `site` that of the whole site. `accuracy` is before, `accuracy_drop` in shares.
    """

    kind: str
    n: int
    drop: float
    ci: Interval
    inner: Interval
    detectable: float
    control: float
    control_ci: Interval
    site: float
    site_ci: Interval
    accuracy: float
    accuracy_drop: float
    accuracy_ci: Interval
    accuracy_control: float
    necessary: Answer
    unused: Answer


class Ablated(Result):
    """`necessary` names the kinds for which it is; `unused` is yes where no kind needs it within ±delta. `group` names
    what was silenced with it: all that is said is then said of the group."""

    component: str
    group: tuple[str, ...] = ()
    mode: Mode
    delta: float
    kinds: tuple[KindEffect, ...]
    necessary: tuple[str, ...]
    unused: Answer


@tool
def ablate(context: ToolContext, arguments: AblateArguments) -> Ablated:
    """What the target can no longer answer when a component is silenced (necessity).

    For each kind of question: the drop of the right answer's margin (logits) and of accuracy, paired, with intervals;
    against random components of the same site, and with the whole site silenced as positive control. Says for which
    kinds it is necessary (interval above 0 and the control, corrected for the kinds asked, of a kind that the target
    answers better than by chance), and whether it is unused
    (90 % interval inside ±delta for every kind asked, while the whole site matters). `group` silences with it so many
    others of its site that are most correlated with it, against random groups of that size: where others do the same
    work, its own absence shows nothing. Refused where no path leads to the logits.
    """
    address = context.address(arguments.component)
    refuse_wordless(context)
    group = (address, *companions(context, address, arguments.group))
    controls = random_groups(context, group, CONTROLS)
    refuse_unreachable(context, address)
    kinds = asked(context, arguments.kinds, arguments.n)
    compared = [compare(context, group, controls, questions, arguments.mode) for questions in kinds]
    drops = [equivalence(one.plain.margin - one.without.margin, arguments.delta) for one in compared]
    sure = benjamini_hochberg([drop.p_value for drop in drops]) < LEVEL
    effects = [
        _effect(context.derived_seed(address, "ablate", questions.kind), questions, one, drop, bool(differs))
        for questions, one, drop, differs in zip(kinds, compared, drops, sure, strict=True)
    ]
    necessary = tuple(effect.kind for effect in effects if effect.necessary == "yes")
    unused = _overall(effects, arguments.delta)
    return Ablated(
        component=str(address),
        group=tuple(map(str, group[1:])),
        mode=arguments.mode,
        delta=arguments.delta,
        kinds=tuple(effects),
        necessary=necessary,
        unused=unused,
        quantities=_quantities(effects),
        warnings=_warnings(effects),
        summary=_summary(address, arguments, effects, necessary, unused),
    )


def refuse_unreachable(context: ToolContext, address: Address, scope: Scope | Literal["all"] = "all") -> None:
    """Raises PlannerError with the adapter's reason where the component can't change any answer from these tokens."""
    reason = context.adapter.reaches(address, scope)
    if reason is not None:
        raise PlannerError(
            f"`{address}` can't be tested causally: {reason}",
            kind="no_path",
            hint="conclude what it responds to, and leave causal claims undetermined",
        )


def _effect(seed: int, questions: Asked, compared: Compared, drop: Equivalence, sure: bool) -> KindEffect:
    plain, kind = compared.plain, questions.kind
    known = wilson(int(plain.right.sum()), len(plain.right)).low > 1 / len(questions.options)
    site = bootstrap_mean(plain.margin - compared.site.margin, seed=seed)
    control = bootstrap_mean(plain.margin - compared.control.margin, seed=seed)
    accuracy = bootstrap_mean(_flips(plain, compared.without), seed=seed)
    necessary, unused = _verdicts(drop, sure, known, site, control)
    return KindEffect(
        kind=kind,
        n=drop.effect.n,
        drop=drop.effect.value,
        ci=(drop.effect.low, drop.effect.high),
        inner=drop.inner,
        detectable=drop.detectable,
        control=control.value,
        control_ci=(control.low, control.high),
        site=site.value,
        site_ci=(site.low, site.high),
        accuracy=float(plain.right.mean()),
        accuracy_drop=accuracy.value,
        accuracy_ci=(accuracy.low, accuracy.high),
        accuracy_control=float(_flips(plain, compared.control).mean()),
        necessary=necessary,
        unused=unused,
    )


def _verdicts(
    drop: Equivalence, sure: bool, known: bool, site: Estimate, control: Estimate
) -> tuple[Answer, Answer]:
    """Whether the kind needs the component, and whether it does without. `sure`: the drop differs from 0 after the
    correction for all kinds that were asked; `known`: the target answers the kind surely better than by chance, since
    nothing can be needed for what can't be done."""
    matters = sure and known and drop.effect.low > max(0.0, control.high) and not drop.equivalent
    necessary: Answer = "yes" if matters else "no" if drop.equivalent else "undetermined"
    if drop.equivalent:
        return necessary, "yes" if site.low > 0 or site.high < 0 else "undetermined"
    return necessary, "no" if sure and abs(drop.effect.value) > drop.bound else "undetermined"


def _flips(plain: Margins, without: Margins) -> Float[np.ndarray, "row"]:
    """Per question: 1 where a right answer is lost, −1 where one is won."""
    return plain.right.astype(np.float64) - without.right.astype(np.float64)


def _overall(effects: Sequence[KindEffect], delta: float) -> Answer:
    """Unused where every kind's 90 % interval lies inside ±delta, and at least one kind would have noticed."""
    said = [effect.unused for effect in effects]
    if "no" in said:
        return "no"
    within = all(max(map(abs, effect.inner)) < delta for effect in effects)
    return "yes" if within and "yes" in said else "undetermined"


def _quantities(effects: Sequence[KindEffect]) -> dict[str, Quantity]:
    found = {}
    for effect in effects:
        found[f"drop_{effect.kind}"] = Quantity(
            value=effect.drop,
            unit="logits of margin",
            ci=effect.ci,
            n=effect.n,
            control=effect.control,
            control_ci=effect.control_ci,
        )
        found[f"accuracy_drop_{effect.kind}"] = Quantity(
            value=effect.accuracy_drop,
            unit="of the questions",
            ci=effect.accuracy_ci,
            n=effect.n,
            control=effect.accuracy_control,
        )
    widest = max(effects, key=lambda effect: max(map(abs, effect.inner)))
    found["largest_drop"] = found[f"drop_{max(effects, key=lambda effect: effect.drop).kind}"]
    found["largest_bound"] = Quantity(
        value=max(map(abs, widest.inner)), unit="logits of margin", n=widest.n, control=abs(widest.site)
    )
    return found


def _warnings(effects: Sequence[KindEffect]) -> tuple[str, ...]:
    deaf = [effect.kind for effect in effects if effect.site_ci[0] <= 0 <= effect.site_ci[1]]
    found = []
    if deaf:
        found.append(
            f"silencing the whole site costs nothing surely for {', '.join(deaf)}: no positive control there"
        )
    if poor := [effect.kind for effect in effects if effect.accuracy < 0.5]:
        found.append(f"the target answers fewer than half of {', '.join(poor)} rightly")
    return tuple(found)


def _summary(
    address: Address,
    arguments: AblateArguments,
    effects: Sequence[KindEffect],
    necessary: Sequence[str],
    unused: Answer,
) -> str:
    first = sorted(effects, key=lambda effect: -effect.drop)[:3]
    told = "; ".join(
        f"{one.kind} {one.drop:+.3f} [{one.ci[0]:.3f}, {one.ci[1]:.3f}], control {one.control:+.3f}"
        for one in first
    )
    with_ = f" with {arguments.group} companions" if arguments.group else ""
    return (
        f"{address}{with_} at its {arguments.mode}: margin drops in logits, largest first: {told}. Necessary for: "
        f"{', '.join(necessary) or 'none'}. Unused within ±{arguments.delta:g}: {unused} (n = {first[0].n} a kind)."
    )[:400]
