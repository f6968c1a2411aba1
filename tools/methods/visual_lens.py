"""`visual_lens`: whether the visual tokens of a thing point to its word, layer by layer.

The vocabulary lens of token_lens.py at the tokens that an edit of the thing changes, beside as many tokens elsewhere
and beside other words.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from store.records import Interval, Model, Quantity
from store.values import Estimate
from tools.context import ToolContext
from tools.methods.located import ShownTokens, located, shown
from tools.methods.token_lens import Read, labels_of, read, shares, sites_of
from tools.scoring.intervals import bootstrap_difference, bootstrap_mean
from tools.stimuli import Change
from tools.tool import Arguments, Result, tool

OTHERS = 12
"""Other answers' words, at most, whose best layer is what chance reaches."""


class VisualLensArguments(Arguments):
    concept: Annotated[str, Field(min_length=1, max_length=200, description="The thing, such as `red star`.")]
    word: Annotated[
        str, Field(max_length=40, description="The word that is looked for; the concept's last by default.")
    ] = ""
    change: Annotated[Change, Field(description="By which edit the thing is found in a picture.")] = "swap"
    n: Annotated[int, Field(ge=8, le=200, description="Pictures.")] = 24


class LensSite(Model):
    """One site: the share of the thing's tokens, and of as many elsewhere, whose likeliest word is the word; the mean
    entropy in nats of what they say, on the thing, elsewhere and in the question."""

    site: str
    share: float
    ci: Interval
    elsewhere: float
    entropy: float
    entropy_elsewhere: float
    entropy_question: float


class VisualLens(Result):
    """`best` is the site of the largest share."""

    concept: str
    word: str
    best: str
    sites: tuple[LensSite, ...]
    pictures: tuple[ShownTokens, ...]


@tool
def visual_lens(context: ToolContext, arguments: VisualLensArguments) -> VisualLens:
    """Whether the visual tokens of a thing point to its word, layer by layer (logit lens on visual tokens).

    Gives by layer the share of the thing's tokens whose likeliest word is the word, beside as many tokens elsewhere,
    and the entropy of what they say; `beyond_chance` is the best layer's share beyond the best layer of other answers'
    words, since the best of many layers is high by chance. A readable word need not be used: pair it with
    `ablate_tokens`.
    """
    word = arguments.word or arguments.concept.split()[-1]
    own = labels_of(context.engine, word)
    found = located(context, arguments.concept, arguments.change, arguments.n)
    reads = read(context.engine, found.stimuli, found.things, [sets["random"] for sets in found.sets])
    seed = context.derived_seed("visual lens", arguments.concept, word)
    thing = shares([one.thing for one in reads], [own] * len(reads))
    elsewhere = shares([one.beside for one in reads], [own] * len(reads))
    others = {label for duel in found.duels for label in (duel.with_, duel.without)} - own
    reached = [
        shares([one.thing for one in reads], [frozenset({label})] * len(reads)).max(axis=1)
        for label in sorted(others)[:OTHERS]
    ]
    chance = np.mean(reached, axis=0) if reached else np.zeros(len(reads))
    names = [str(site) for site in sites_of(context.engine)]
    top = int(thing.mean(axis=0).argmax())
    entropy = _entropy(reads)
    sites = tuple(
        _site(
            name,
            bootstrap_mean(thing[:, place], seed=seed),
            float(elsewhere[:, place].mean()),
            entropy[place],
        )
        for place, name in enumerate(names)
    )
    beyond = bootstrap_difference(thing.max(axis=1), chance, seed=seed)
    apart = bootstrap_difference(thing[:, top], elsewhere[:, top], seed=seed)
    return VisualLens(
        concept=arguments.concept,
        word=word,
        best=names[top],
        sites=sites,
        pictures=shown(context, found),
        quantities={
            "share": Quantity(
                value=sites[top].share,
                unit="of the thing's tokens",
                ci=sites[top].ci,
                n=len(reads),
                control=sites[top].elsewhere,
            ),
            "beyond_chance": _quantity(beyond, float(chance.mean())),
            "beyond_elsewhere": _quantity(apart, sites[top].elsewhere),
            "depth": Quantity(value=top / (len(names) - 1), unit="share of the layers", n=len(reads)),
        }
        | found.made.proof,
        warnings=() if apart.low > 0 else ("the thing's tokens point to its word no more than others do",),
        summary=_summary(word, sites, top, beyond, len(reads)),
    )


def _entropy(reads: list[Read]) -> np.ndarray:
    """Means over the pictures, [site, where]."""
    return np.asarray(np.nanmean(np.stack([one.entropy for one in reads]), axis=0))


def _site(name: str, share: Estimate, elsewhere: float, entropy: np.ndarray) -> LensSite:
    return LensSite(
        site=name,
        share=share.value,
        ci=(share.low, share.high),
        elsewhere=elsewhere,
        entropy=float(entropy[0]),
        entropy_elsewhere=float(entropy[1]),
        entropy_question=float(entropy[2]),
    )


def _quantity(found: Estimate, control: float) -> Quantity:
    return Quantity(
        value=found.value,
        unit="of the thing's tokens",
        ci=(found.low, found.high),
        n=found.n,
        control=control,
    )


def _summary(word: str, sites: tuple[LensSite, ...], top: int, beyond: Estimate, n: int) -> str:
    best, last = sites[top], sites[-1]
    return (
        f"`{word}` leads in {best.share:.0%} [{best.ci[0]:.0%}, {best.ci[1]:.0%}] of the thing's tokens at {best.site} "
        f"({best.elsewhere:.0%} elsewhere), {last.share:.0%} at {last.site}; best layer beyond other words' "
        f"{beyond.value:+.0%} [{beyond.low:+.0%}, {beyond.high:+.0%}]; n = {n}."
    )[:400]
