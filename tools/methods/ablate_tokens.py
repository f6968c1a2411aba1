"""`ablate_tokens`: what the target can no longer answer when the tokens that show a thing say nothing of it.

Token sets of Neo et al. 2024 at the mean visual token, each beside as many random tokens drawn outside the thing's
second ring; the answer to a question that the thing answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field

from store.errors import PlannerError
from store.records import Interval, Model, Quantity
from tools.context import ToolContext
from tools.methods.located import Located, ShownTokens, located, reference_of, said, shown
from tools.methods.token_ablation import ablated
from tools.methods.token_gradients import token_gradients
from tools.methods.token_sets import CONTROL, SETS, SetName, add_gradients
from tools.scoring.intervals import bootstrap_mean, wilson
from tools.stimuli import Change
from tools.tool import Arguments, Result, tool

if TYPE_CHECKING:
    from tools.engine.plan import Mean


class AblateTokensArguments(Arguments):
    concept: Annotated[str, Field(min_length=1, max_length=200, description="The thing, such as `red star`.")]
    change: Annotated[Change, Field(description="By which edit the thing is found in a picture.")] = "swap"
    n: Annotated[int, Field(ge=8, le=200, description="Pictures.")] = 24
    gradients: Annotated[
        bool, Field(description="Also the tokens of largest integrated gradients; some 100 rows a picture.")
    ] = False


class SetEffect(Model):
    """One set of tokens. `flips` is the share of questions, answered rightly before, that no longer are; `drop` the
    mean loss in logits of the margin between the pair's two answers."""

    name: str
    tokens: float
    flips: float
    ci: Interval
    drop: float
    drop_ci: Interval


class AblatedTokens(Result):
    """`right` of `asked` questions were answered rightly before; `reference` says over what the mean was taken."""

    concept: str
    asked: int
    right: int
    left_out: int
    reference: str
    sets: tuple[SetEffect, ...]
    pictures: tuple[ShownTokens, ...]


@tool
def ablate_tokens(context: ToolContext, arguments: AblateTokensArguments) -> AblatedTokens:
    """What the target can no longer answer when the visual tokens of a thing are replaced by the mean visual token.

    Pictures are those in which an edit of the concept changes the right answer; its tokens are those that the edit
    changes. Sets: the thing, with one and two rings of neighbours, tokens of large norm, and random tokens outside the
    rings, as many as each. Gives the share of right answers that flip and the margin lost (logits), with intervals;
    the control of every set is as many random tokens. A word that the lens reads off a token but that this does not
    need is readable, not used.
    """
    found = located(context, arguments.concept, arguments.change, arguments.n)
    mean = reference_of(context)
    right = np.array([one.with_ for one in found.duels])
    other = np.array([one.without for one in found.duels])
    before = np.stack([one.logits for one in found.seen])
    known = said(before) == right
    if not known.any():
        raise PlannerError(
            f"the target answers none of {len(known)} questions about `{arguments.concept}` rightly",
            kind="wrong",
            hint="choose a concept that it can answer for",
        )
    if arguments.gradients:
        _add_gradients(context, found, right.tolist(), mean)
    names = [name for name in SETS if name in found.sets[0]]
    chosen = [[one[name] for one in found.sets] for name in names]
    after = ablated(context.engine, found.stimuli, found.seen, chosen, mean)
    rows = np.arange(len(right))
    margin = before[rows, right] - before[rows, other]
    seed = context.derived_seed("tokens", arguments.concept)
    effects = [
        _effect(
            name,
            [int(one.sum()) for one in tokens],
            known,
            said(logits) == right,
            margin - (logits[rows, right] - logits[rows, other]),
            seed,
        )
        for name, tokens, logits in zip(names, chosen, after, strict=True)
    ]
    by_name = {effect.name: effect for effect in effects}
    return AblatedTokens(
        concept=arguments.concept,
        asked=len(known),
        right=int(known.sum()),
        left_out=found.crowded,
        reference=f"mean visual token over pictures of `{context.images.name}`",
        sets=tuple(effects),
        pictures=shown(context, found),
        quantities=_quantities(by_name, int(known.sum()), len(known)) | found.made.proof,
        warnings=_warnings(by_name, known),
        summary=_summary(arguments.concept, by_name, int(known.sum())),
    )


def _add_gradients(context: ToolContext, found: Located, right: Sequence[int], mean: Mean) -> None:
    told = token_gradients(context.engine, found.stimuli, found.seen, right, mean)
    for sets, one in zip(found.sets, told, strict=True):
        add_gradients(sets, one.heat)


def _effect(
    name: str,
    tokens: Sequence[int],
    known: Bool[np.ndarray, "item"],
    still: Bool[np.ndarray, "item"],
    drop: Float[np.ndarray, "item"],
    seed: int,
) -> SetEffect:
    flips = wilson(int((known & ~still).sum()), int(known.sum()))
    lost = bootstrap_mean(drop, seed=seed)
    return SetEffect(
        name=name,
        tokens=float(np.mean(tokens)),
        flips=flips.value,
        ci=(flips.low, flips.high),
        drop=lost.value,
        drop_ci=(lost.low, lost.high),
    )


def _quantities(effects: dict[str, SetEffect], right: int, asked: int) -> dict[str, Quantity]:
    found = {}
    for name, control in CONTROL.items():
        if name in effects:
            one, beside = effects[name], effects[control]
            found[f"flips_{name}"] = Quantity(
                value=one.flips,
                unit="of right answers",
                ci=one.ci,
                n=right,
                control=beside.flips,
                control_ci=beside.ci,
            )
            found[f"drop_{name}"] = Quantity(
                value=one.drop,
                unit="logits of margin",
                ci=one.drop_ci,
                n=asked,
                control=beside.drop,
                control_ci=beside.drop_ci,
            )
    return found


def _warnings(effects: dict[str, SetEffect], known: Bool[np.ndarray, "item"]) -> tuple[str, ...]:
    found = []
    if known.mean() < 0.5:
        found.append("the target answers fewer than half of these questions rightly")
    thing, control = effects["object+1"], effects["random+1"]
    if thing.drop_ci[0] <= control.drop_ci[1]:
        found.append("the thing's tokens cost no more than as many random ones")
    return tuple(found)


def _summary(concept: str, effects: dict[str, SetEffect], right: int) -> str:
    def told(name: SetName) -> str:
        one, control = effects[name], effects[CONTROL[name]]
        share = f"{one.flips:.0%} [{one.ci[0]:.0%}, {one.ci[1]:.0%}]"
        return f"{name} ({one.tokens:.0f} tokens) {share}, random {control.flips:.0%}"

    sets: tuple[SetName, ...] = ("object", "object+1", "object+2", "register")
    return (
        f"Right answers that flip without the tokens of `{concept[:60]}`: {'; '.join(told(name) for name in sets)}; "
        f"n = {right}."
    )[:400]
