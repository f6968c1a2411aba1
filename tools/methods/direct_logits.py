"""`direct_logits`: which heads and MLPs say the answer, as shares that add up to its lead.

Knows which answers are meant and how shares are told; the sum itself is shares.py. What a component does through later
ones is not in its share: patching shows that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from jaxtyping import Float
from pydantic import Field

from store.records import Interval, Model, Quantity
from tools.context import ToolContext
from tools.methods.answers import refuse_wordless
from tools.methods.shares import Shares, shares
from tools.methods.showing import Named, chosen, keep
from tools.methods.streams import refuse_crossed
from tools.pictures import sheet
from tools.scoring.intervals import bootstrap_mean
from tools.tool import Arguments, Result, tool

if TYPE_CHECKING:
    from torch import Tensor

PAIRS = 8
"""Random pairs of words, for each picture, toward which the same parts are measured as a control."""
SHOWN = 6


class DirectLogitsArguments(Arguments):
    images: Annotated[
        tuple[Named, ...],
        Field(
            max_length=64,
            description="Pictures, each with its own question; random ones where none is named.",
        ),
    ] = ()
    n: Annotated[int, Field(ge=4, le=64, description="Pictures, where none is named.")] = 24
    k: Annotated[int, Field(ge=1, le=64, description="Parts that are listed.")] = 10


class DirectShare(Model):
    """What a part adds to the answer's lead over the next best word, in logits, mean over pictures; `control` is the
    mean size of what it adds to the lead of a random word over another."""

    part: str
    value: float
    ci: Interval
    control: float


class DirectLogits(Result):
    """`parts` are those that add or take most, on average; `shares` holds every part's mean, in the order in which they
    write: they add up to the lead. `answers` is what the target says for each picture."""

    parts: tuple[DirectShare, ...]
    shares: dict[str, float]
    answers: tuple[str, ...]


@tool
def direct_logits(context: ToolContext, arguments: DirectLogitsArguments) -> DirectLogits:
    """What every head and MLP adds by itself to the answer's lead over the next best word; all of it adds up.

    `direct PART` for the parts that count most, in logits over pictures, beside what the part adds to the lead of
    random words; `lead` is the sum of all parts and equals the lead itself (`missed`: relative error of the sum). The
    final norm's divisor is held fixed. What a component does through later ones is not counted: use `patch`.
    """
    refuse_wordless(context)
    refuse_crossed(context)
    if arguments.images:
        stimuli = chosen(context, arguments.images)
    else:
        order = context.random("direct").permutation(len(context.images))[: arguments.n]
        stimuli = [context.images.asked(int(number)) for number in sorted(order)]
    found = shares(context.engine, stimuli)
    first, second = found.own.topk(2).indices.T
    toward = _toward(found, first, second)
    random = _random(context, found)
    seed = context.derived_seed("direct")
    order_ = np.argsort(-np.abs(toward.mean(axis=1)), kind="stable")[: arguments.k].tolist()
    quantities = {
        f"direct {found.parts[place]}": _quantity(toward[place], random[place], seed) for place in order_
    }
    lead = bootstrap_mean(toward.sum(axis=0), seed=seed)
    word = context.target.processor.tokenizer.decode
    return DirectLogits(
        parts=tuple(_row(found.parts[place], quantities) for place in order_),
        shares={part: float(row.mean()) for part, row in zip(found.parts, toward, strict=True)},
        answers=tuple(str(word([token])).strip() for token in first.tolist()),
        quantities=quantities
        | {
            "lead": Quantity(value=lead.value, unit="logits", ci=(lead.low, lead.high), n=lead.n),
            "missed": Quantity(value=found.missed, unit="share of the logits", n=len(stimuli)),
        },
        artifacts={"pictures": keep(context, sheet([one.image for one in stimuli[:SHOWN]], columns=3))},
        summary=_summary(found, order_, quantities, lead.value),
    )


def _toward(found: Shares, first: Tensor, second: Tensor) -> Float[np.ndarray, "part stimulus"]:
    """What each part adds to one word's logit over another's, stimulus by stimulus."""
    import torch

    rows = torch.arange(len(found.own))
    table: np.ndarray = (found.logits[:, rows, first] - found.logits[:, rows, second]).double().numpy()
    return table


def _random(context: ToolContext, found: Shares) -> Float[np.ndarray, "part stimulus"]:
    """The mean size of the same for random pairs of words."""
    import torch

    random, words = context.random("words"), found.own.shape[1]
    sizes = []
    for _ in range(PAIRS):
        drawn = torch.tensor(random.permuted(np.tile(np.arange(words), (len(found.own), 1)), axis=1)[:, :2])
        sizes.append(np.abs(_toward(found, drawn[:, 0], drawn[:, 1])))
    return np.asarray(np.mean(sizes, axis=0))


def _quantity(
    own: Float[np.ndarray, "stimulus"], random: Float[np.ndarray, "stimulus"], seed: int
) -> Quantity:
    mean, control = bootstrap_mean(own, seed=seed), bootstrap_mean(random, seed=seed)
    return Quantity(
        value=mean.value,
        unit="logits of the answer's lead",
        ci=(mean.low, mean.high),
        n=mean.n,
        control=control.value,
        control_ci=(control.low, control.high),
    )


def _row(part: str, quantities: dict[str, Quantity]) -> DirectShare:
    one = quantities[f"direct {part}"]
    assert one.ci is not None and one.control is not None
    return DirectShare(part=part, value=one.value, ci=one.ci, control=one.control)


def _summary(found: Shares, order: list[int], quantities: dict[str, Quantity], lead: float) -> str:
    told = "; ".join(
        f"{found.parts[place]} {quantities[f'direct {found.parts[place]}'].value:+.2f} "
        f"(random words {quantities[f'direct {found.parts[place]}'].control:.2f})"
        for place in order[:6]
    )
    return (
        f"The answer leads by {lead:.2f} logits over {len(found.own)} pictures; directly added by {told}. All parts "
        f"add up to it within {found.missed:.0e}."
    )[:400]
