"""`knockout`: in which layers the answer reads a thing's tokens, told by blocking that attention.

Windows of layers of Neo et al. 2024 scaled to the decoder's depth, and sliding ones; the control blocks as many random
tokens of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field

from store.errors import PlannerError
from store.records import Interval, Model, Quantity
from tools.context import ToolContext
from tools.methods.located import ShownTokens, located, said, shown
from tools.methods.opened import switched
from tools.methods.token_knockout import Edges, Reader, by_word, knocked_out
from tools.methods.token_sets import SetName, Tokens, as_many
from tools.methods.windows import ALL, Window, scaled, sliding
from tools.scoring.intervals import bootstrap_difference, bootstrap_mean, wilson
from tools.stimuli import Change
from tools.tool import Arguments, Result, tool

From = Literal["object", "object+1", "object+2", "rest"]


class KnockoutArguments(Arguments):
    concept: Annotated[str, Field(min_length=1, max_length=200, description="The thing, such as `red star`.")]
    tokens: Annotated[
        From, Field(description="Whose tokens are hidden: the thing's, with rings, or all but `object+1`.")
    ] = "object+1"
    reader: Annotated[Reader, Field(description="From whom they are hidden.")] = "answer"
    change: Annotated[Change, Field(description="By which edit the thing is found in a picture.")] = "swap"
    width: Annotated[int, Field(ge=0, le=64, description="Layers of a sliding window; 0: a sixth.")] = 0
    n: Annotated[int, Field(ge=8, le=200, description="Pictures.")] = 24


class WindowEffect(Model):
    """One window of layers. `kept` is the share of right answers that stay right; `loss` what the right answer's
    probability loses; both beside as many random tokens, and `beyond` is the loss beyond theirs."""

    window: str
    layers: tuple[int, int]
    kept: float
    ci: Interval
    control_kept: float
    loss: float
    loss_ci: Interval
    control_loss: float
    beyond: float
    beyond_ci: Interval


class KnockedOut(Result):
    """`right` of `asked` questions were answered rightly before: effects are over these."""

    concept: str
    asked: int
    right: int
    windows: tuple[WindowEffect, ...]
    pictures: tuple[ShownTokens, ...]


@tool
def knockout(context: ToolContext, arguments: KnockoutArguments) -> KnockedOut:
    """In which layers the answer reads a thing's visual tokens: attention to them is blocked, all heads at once.

    From the last position, the question's words, or the picture's last row, in windows of layers (early to late, all,
    and sliding). Gives for each window the share of right answers kept and the probability that the right answer loses,
    with intervals; the control blocks as many random tokens of the picture. What a reader loses may still reach the
    answer by others: no loss here does not show that the tokens are not used.
    """
    found = located(context, arguments.concept, arguments.change, arguments.n)
    right = np.array([one.with_ for one in found.duels])
    before = np.stack([one.logits for one in found.seen])
    known = said(before) == right
    if known.sum() < 2:
        raise PlannerError(
            f"the target answers {int(known.sum())} of {len(known)} questions about `{arguments.concept}` rightly",
            kind="wrong",
            hint="choose a concept that it can answer for",
        )
    depth = context.extent.towers["language"].layers
    if arguments.width > depth:
        raise PlannerError(
            f"a window of {arguments.width} layers is wider than the decoder of {depth}",
            kind="arguments",
            hint=f"give at most {depth}",
        )
    windows = [*scaled(depth), *sliding(depth, arguments.width)]
    hidden = [_hidden(sets, arguments.tokens) for sets in found.sets]
    control = [
        as_many(one, context.random("knockout", duel.pair.with_.key))
        for one, duel in zip(hidden, found.duels, strict=True)
    ]
    edges = [
        Edges(arguments.tokens, hidden, arguments.reader),
        Edges("random", control, arguments.reader),
    ]
    judge = by_word(right.tolist())
    untouched = judge(before, np.arange(len(right)))
    after = knocked_out(context.engine, found.stimuli, found.seen, found.grid, edges, windows, judge)
    seed = context.derived_seed("knockout", arguments.concept)
    effects = tuple(
        _effect(window, known, after.right[:, turn], untouched.chance - after.chance[:, turn], seed)
        for turn, window in enumerate(windows)
    )
    return KnockedOut(
        concept=arguments.concept,
        asked=len(known),
        right=int(known.sum()),
        windows=effects,
        pictures=shown(context, found),
        quantities=_quantities(effects, int(known.sum())) | found.made.proof,
        warnings=(*_warnings(effects), *switched(context, "language")),
        summary=_summary(arguments, effects, int(known.sum())),
    )


def _hidden(sets: dict[SetName, Tokens], named: From) -> Tokens:
    """The set that is meant; the rest is all but the thing with one ring."""
    return ~sets["object+1"] if named == "rest" else sets[named]


def _effect(
    window: Window,
    known: Bool[np.ndarray, "item"],
    still: Bool[np.ndarray, "2 item"],
    lost: Float[np.ndarray, "2 item"],
    seed: int,
) -> WindowEffect:
    kept, control = (wilson(int((known & one).sum()), int(known.sum())) for one in still)
    loss, other = (bootstrap_mean(one[known], seed=seed) for one in lost)
    beyond = bootstrap_difference(lost[0][known], lost[1][known], seed=seed)
    return WindowEffect(
        window=window.name,
        layers=(window.first, window.last),
        kept=kept.value,
        ci=(kept.low, kept.high),
        control_kept=control.value,
        loss=loss.value,
        loss_ci=(loss.low, loss.high),
        control_loss=other.value,
        beyond=beyond.value,
        beyond_ci=(beyond.low, beyond.high),
    )


def _quantities(effects: Sequence[WindowEffect], right: int) -> dict[str, Quantity]:
    named = {effect.window: effect for effect in effects}
    strongest = max((one for one in effects if one.window != ALL), key=lambda one: one.beyond)
    return {
        f"loss_{name}": Quantity(
            value=one.loss,
            unit="probability of the right answer",
            ci=one.loss_ci,
            n=right,
            control=one.control_loss,
        )
        for name, one in (named | {"strongest": strongest}).items()
    }


def _warnings(effects: Sequence[WindowEffect]) -> tuple[str, ...]:
    whole = next(one for one in effects if one.window == ALL)
    if whole.beyond_ci[0] > 0:
        return ()
    return ("blocked in all layers, these tokens cost no more than as many random ones",)


def _summary(arguments: KnockoutArguments, effects: Sequence[WindowEffect], right: int) -> str:
    ranked = sorted((one for one in effects if one.window != ALL), key=lambda one: -one.beyond)
    whole = next(one for one in effects if one.window == ALL)

    def told(one: WindowEffect) -> str:
        layers = f"{one.layers[0]}–{one.layers[1]}"
        return f"layers {layers}: kept {one.kept:.0%}, p {-one.loss:+.2f} (random {-one.control_loss:+.2f})"

    return (
        f"{arguments.tokens} of `{arguments.concept[:40]}` hidden from the {arguments.reader}: {told(whole)}; most in "
        f"{told(ranked[0])}; then {told(ranked[1])}; n = {right} right answers."
    )[:400]
