"""`attention`: where a head looks, and whether it matters that it looks there.

Reads patterns, and blocks edges one at a time: attention alone is no explanation, so that its correlation with the
effect of a knockout stands beside every picture of it (Jain and Wallace 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from jaxtyping import Float
from pydantic import Field

from store.address import Address
from store.errors import PlannerError
from store.records import Quantity, Reading
from store.values import Estimate
from tools.context import ToolContext
from tools.methods.looks import Looks, looks, pattern_of, patterns
from tools.methods.opened import switched
from tools.methods.showing import Component, Shown, keep, keep_overlays, seen_by
from tools.methods.values import others
from tools.scoring.intervals import bootstrap_mean
from tools.scoring.token_class import Found
from tools.stimuli import Stimulus
from tools.tool import Arguments, Result, tool

if TYPE_CHECKING:
    from tools.targets.batch import Positions

SHOWN = 6
TOKENS = 24
"""Visual tokens that are blocked one at a time in a picture, evenly over the ranks of their attention."""
CUT = 6
"""Pictures in which tokens are blocked."""
DRAWS = 400
"""Resamples of pictures for the interval of an AUPRC."""


class AttentionArguments(Arguments):
    component: Component
    n: Annotated[int, Field(ge=4, le=128, description="Pictures with their questions.")] = 24


class Attention(Result):
    """`chance` is what attention to no token in particular would reach of `reads_CLASS`: the class's share of tokens.
    `exemplars` are pictures with the head's attention from the answer position laid over them."""

    component: str
    chance: dict[str, float]
    exemplars: tuple[Shown, ...]


class Knocked(NamedTuple):
    """What blocking visual tokens does to the log-probability of the target's own answer (nats lost).

    `correlation` of attention with the loss, by picture; `all_of_them` when the head sees no visual token from the
    answer position, and the same for another head of the layer.
    """

    correlation: Float[np.ndarray, "picture"]
    all_of_them: Float[np.ndarray, "picture"]
    another: Float[np.ndarray, "picture"]


@tool
def attention(context: ToolContext, arguments: AttentionArguments) -> Attention:
    """Where an attention head looks from the answer position, and whether blocking that changes the answer.

    Language heads: shares of attention on `picture`, `question`, `start` and the answer position `itself`, beside the
    mean of the layer's other heads; the correlation of attention to single picture tokens with what blocking them
    costs; and what it costs to block the picture from this head. Vision heads: shares from patches on the `class`
    token, the patch `itself`, its neighbors (`near`) and the rest (`far`). `reads_CLASS` is the AUPRC of the class's
    tokens against attention (1: they are ranked first), beside the layer's other heads; chance is the share of tokens
    that are of the class (`chance`). Where the picture is read by cross-attention, heads of `question` and `cross` look
    from the question's words. Maps are pictures of where it looks, not explanations.
    """
    address = context.address(arguments.component)
    if address.part != "head":
        raise PlannerError(
            f"`{address}` is not a head", kind="address", hint="name one, such as `language.3.head.2`"
        )
    order = context.random("looks").permutation(len(context.images))[: arguments.n]
    numbers = sorted(map(int, order))
    stimuli = [context.images.asked(number) for number in numbers]
    seen = looks(context, address, stimuli)
    reads = _reads(context, address, seen)
    quantities = _quantities(context, address, seen) | _read_quantities(address, seen, reads)
    reason = _unblocked(context, address)
    warnings: list[str] = []
    if reason is None:
        quantities |= _effects(context, address, stimuli[:CUT], warnings)
    else:
        warnings.append(f"nothing was blocked: {reason}")
    return Attention(
        component=str(address),
        chance={name: one.chance for name, one in reads.items()},
        exemplars=_shown(context, address, numbers[:SHOWN]),
        quantities=quantities,
        warnings=(*warnings, *switched(context, address.tower)),
        summary=_summary(address, seen, quantities, len(stimuli)),
    )


def _unblocked(context: ToolContext, address: Address) -> str | None:
    """Why blocking what the head sees of the picture tells nothing; None where it does."""
    if context.target.family == "clip":
        return "its target says no words"
    if address.tower == "vision":
        return "it is in the vision tower"
    if not seen_by(context, address):
        return "it does not look at the picture"
    return context.adapter.reaches(address, "question" if address.tower == "cross" else "answer")


def _quantities(context: ToolContext, address: Address, seen: Looks) -> dict[str, Quantity]:
    assert address.index is not None
    seed = context.derived_seed(address, "attention")
    rest = np.delete(seen.shares, address.index, axis=0)
    found = {}
    for place, name in enumerate(seen.names):
        mean = bootstrap_mean(seen.shares[address.index, place], seed=seed)
        found[f"share_{name}"] = Quantity(
            value=mean.value,
            unit="share of attention",
            ci=(mean.low, mean.high),
            n=mean.n,
            control=float(rest[:, place].mean()) if len(rest) else None,
        )
    return found


def _reads(context: ToolContext, address: Address, seen: Looks) -> dict[str, Found]:
    """By class how well the head's attention finds it; a class without tokens, or without others, is left out."""
    assert address.index is not None
    seed = context.derived_seed(address, "reads")
    found = {}
    for name, place in zip(seen.names, seen.places, strict=True):
        if place.any() and not place[seen.shown].all():
            found[name] = seen.reads(address.index, name, draws=DRAWS, seed=seed)
    return found


def _read_quantities(address: Address, seen: Looks, reads: dict[str, Found]) -> dict[str, Quantity]:
    assert address.index is not None
    return {
        f"reads_{name}": Quantity(
            value=one.auprc.value,
            unit="AUPRC",
            ci=(one.auprc.low, one.auprc.high),
            n=one.auprc.n,
            control=seen.others_read(address.index, name),
        )
        for name, one in reads.items()
    }


def _effects(
    context: ToolContext, address: Address, stimuli: Sequence[Stimulus], warnings: list[str]
) -> dict[str, Quantity]:
    knocked = _knock_out(context, address, stimuli)
    seed = context.derived_seed(address, "knockout")
    cost, another = (bootstrap_mean(part, seed=seed) for part in (knocked.all_of_them, knocked.another))
    found = {
        "cut_visual": Quantity(
            value=cost.value,
            unit="nats of the answer's log-probability",
            ci=(cost.low, cost.high),
            n=cost.n,
            control=another.value,
            control_ci=(another.low, another.high),
        )
    }
    told: Estimate = bootstrap_mean(knocked.correlation, seed=seed)
    found["knockout_correlation"] = Quantity(
        value=told.value, unit="rank correlation", ci=(told.low, told.high), n=told.n, control=0.0
    )
    if told.low <= 0:
        warnings.append("attention to picture tokens does not go with what blocking them costs")
    return found


def _knock_out(context: ToolContext, address: Address, stimuli: Sequence[Stimulus]) -> Knocked:
    from tools.activations import asking
    from tools.engine.plan import Knockout, Plan, Row

    assert address.index is not None
    head = address.index
    outcome, tap = patterns(context, address, stimuli), context.adapter.tap(pattern_of(address))
    weights = outcome.reads[pattern_of(address)].float().cpu().numpy()[:, head]
    visual = outcome.batch.where(tap.looks_at, "visual").cpu().numpy()
    first = outcome.batch.first.cpu().numpy() * (tap.looks_at == "language")
    from_ = asking(outcome.batch, tap.space).cpu().numpy()
    over = np.stack([pattern[words].mean(0) for pattern, words in zip(weights, from_, strict=True)])
    queries: Positions = "all" if address.tower == "cross" else "answer"
    cut_off = partial(Knockout, address.layer, queries=queries, tower=address.tower)
    sibling = others(context, address, 1, "knockout")
    other = sibling[0].index if sibling else head
    rows, chosen = [], []
    for number in range(len(stimuli)):
        places = np.flatnonzero(visual[number])
        ranked = places[np.argsort(-over[number, places], kind="stable")]
        tokens = ranked[np.unique(np.linspace(0, len(ranked) - 1, TOKENS).round().astype(int))]
        chosen.append(tokens)
        rows.append(Row(number, knockouts=(cut_off(head, keys="visual"),)))
        rows.append(Row(number, knockouts=(cut_off(other, keys="visual"),)))
        rows += [
            Row(number, knockouts=(cut_off(head, keys=(int(token - first[number]),)),)) for token in tokens
        ]
    plain = outcome.logits.float().cpu().log_softmax(dim=-1)
    said = plain.argmax(dim=-1)
    after = context.engine.run(Plan(list(stimuli), rows)).logits.float().cpu().log_softmax(dim=-1)
    correlation, cut, another, at = [], [], [], 0
    for number, tokens in enumerate(chosen):
        lost = (plain[number, said[number]] - after[at : at + 2 + len(tokens), said[number]]).numpy()
        cut.append(float(lost[0]))
        another.append(float(lost[1]))
        correlation.append(spearman(over[number, tokens], np.abs(lost[2:])))
        at += 2 + len(tokens)
    return Knocked(np.array(correlation), np.array(cut), np.array(another))


def spearman(first: Float[np.ndarray, "value"], second: Float[np.ndarray, "value"]) -> float:
    """Rank correlation, ties at their mean rank; 0 where one side does not vary."""
    one, two = (_ranks(np.asarray(side, dtype=np.float64)) for side in (first, second))
    spread = float(one.std() * two.std())
    return float(((one - one.mean()) * (two - two.mean())).mean() / spread) if spread > 0 else 0.0


def _ranks(numbers: Float[np.ndarray, "value"]) -> Float[np.ndarray, "value"]:
    _, member, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    return (ends - (counts - 1) / 2.0)[member]


def _shown(context: ToolContext, address: Address, numbers: Sequence[int]) -> tuple[Shown, ...]:
    """Pictures with maps; `value` is the largest share of attention on one token. None where it sees no picture."""
    if not seen_by(context, address):
        return ()
    stimuli = [context.images.asked(number) for number in numbers]
    heat = context.activations.maps(address, stimuli)
    overlays = keep_overlays(context, address, Reading(), stimuli)
    return tuple(
        Shown(
            key=stimulus.key,
            index=number,
            value=float(one.max()),
            image=keep(context, stimulus.image),
            overlay=laid,
            tail="attention",
            question=stimulus.question,
        )
        for number, stimulus, one, laid in zip(numbers, stimuli, heat, overlays, strict=True)
    )


def _summary(address: Address, seen: Looks, quantities: dict[str, Quantity], n: int) -> str:
    told = ", ".join(
        f"{name} {quantities[f'share_{name}'].value:.0%}"
        + ("" if (control := quantities[f"share_{name}"].control) is None else f" (others {control:.0%})")
        for name in seen.names
    )
    leads = {name: one.value - (one.control or 0) for name, one in quantities.items() if "reads_" in name}
    best = max(leads, key=lambda name: leads[name], default="")
    end = (
        f" It leads other heads most in finding {best.removeprefix('reads_')} ({quantities[best].value:.2f} AUPRC)."
        if best
        else ""
    )
    if "cut_visual" in quantities:
        cut, rank = quantities["cut_visual"], quantities["knockout_correlation"]
        end += (
            f" Blocking the picture costs {cut.value:+.3f} nats (another head {cut.control or 0:+.3f}); attention goes "
            f"with the cost of single tokens at {rank.value:.2f}."
        )
    return f"{address} looks at {told} (n = {n}).{end}"[:400]
