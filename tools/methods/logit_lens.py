"""`logit_lens`: which word the stream already points to, layer by layer, at the answer position.

Knows pictures and questions by the planner's words; the lens itself is tools/lens.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from store.errors import PlannerError
from store.records import Interval, Model, Quantity
from tools.context import ToolContext
from tools.meter import count
from tools.methods.answers import refuse_wordless
from tools.methods.showing import Named, chosen
from tools.tool import Arguments, Result, tool

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

LISTED = 5
"""Words listed for a layer."""


class LogitLensArguments(Arguments):
    images: Annotated[
        tuple[Named, ...],
        Field(min_length=2, max_length=64, description="Pictures, each with its own question."),
    ]
    layers: Annotated[
        tuple[int, ...],
        Field(max_length=128, description="Layers of the language side; all where none is named."),
    ] = ()


class LensLayer(Model):
    """One site: mean probability of the target's own last word, its mean rank (1 is first), and the words that lead."""

    site: str
    probability: float
    ci: Interval
    rank: float
    control: float
    words: tuple[str, ...]


class LogitLens(Result):
    """`answers` is what the target says for each picture; `control` in a layer is the probability of another
    picture's answer."""

    layers: tuple[LensLayer, ...]
    answers: tuple[str, ...]


@tool
def logit_lens(context: ToolContext, arguments: LogitLensArguments) -> LogitLens:
    """Which word each layer would say at the answer position, for pictures that you name, each with its question.

    Gives by layer the probability and rank of the word that the target says in the end, and the words that lead; the
    control is the probability of another picture's word. `depth` is the first layer, as a share of all, in which the
    final word leads in most of the pictures.
    """
    refuse_wordless(context)
    stimuli = chosen(context, arguments.images)
    batch = context.adapter.batch(stimuli)
    from tools.lens import logit_lens as lens
    from tools.lens import rise

    read = lens(context.target.model, batch.inputs, batch.answer[:, None].cpu())
    count(len(stimuli))
    wanted = _wanted(read.sites, arguments.layers)
    logits = read.logits[:, :, 0].cpu()
    said = logits[-1].argmax(dim=-1)
    seed = context.derived_seed("lens")
    own = rise(logits, said, read.sites, seed=seed)
    swapped = rise(logits, said.roll(1), read.sites, seed=seed)
    table = tuple(
        LensLayer(
            site=own[place].site,
            probability=own[place].probability.value,
            ci=(own[place].probability.low, own[place].probability.high),
            rank=own[place].rank.value,
            control=swapped[place].probability.value,
            words=_leading(context, logits[place]),
        )
        for place in wanted
    )
    leads = (logits.argmax(dim=-1) == said).float().mean(dim=1)
    first = next(place for place in range(len(leads)) if leads[place] > 0.5)
    depth = first / (len(leads) - 1)
    answers = tuple(_word(context, int(token)) for token in said)
    return LogitLens(
        layers=table,
        answers=answers,
        quantities={
            "depth": Quantity(value=depth, unit="share of the layers", n=len(stimuli)),
            "last": Quantity(
                value=own[-1].probability.value,
                unit="probability",
                ci=(own[-1].probability.low, own[-1].probability.high),
                n=len(stimuli),
                control=swapped[-1].probability.value,
            ),
        },
        summary=_summary(table, depth, len(stimuli)),
    )


def _wanted(sites: tuple[str, ...], layers: tuple[int, ...]) -> list[int]:
    """Places of the sites of the layers; the embedding comes along where all are meant."""
    if not layers:
        return list(range(len(sites)))
    last = len(sites) - 2
    if wrong := [layer for layer in layers if not 0 <= layer <= last]:
        raise PlannerError(
            f"there is no language layer {wrong[0]}", kind="layer", hint=f"layers go from 0 to {last}"
        )
    return [1 + layer for layer in sorted(set(layers))]


def _leading(context: ToolContext, logits: Float[Tensor, "row word"]) -> tuple[str, ...]:
    """The words with the largest mean probability."""
    best = logits.softmax(dim=-1).mean(dim=0).topk(LISTED).indices.tolist()
    return tuple(_word(context, token) for token in best)


def _word(context: ToolContext, token: int) -> str:
    return str(context.target.processor.tokenizer.decode([token])).strip()


def _summary(table: tuple[LensLayer, ...], depth: float, n: int) -> str:
    told = "; ".join(
        f"{row.site.removeprefix('language.').removesuffix('.resid_post')} {row.probability:.2f} (rank {row.rank:.0f})"
        for row in table
    )
    return f"The final word by layer, {n} pictures: {told}. It leads from {depth:.0%} of the depth on."[:400]
