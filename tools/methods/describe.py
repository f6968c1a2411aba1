"""`describe`: what pictures, and crops around the places where a component is hot, show in words.

The describer sees pixels and nothing else: no activation, no hypothesis, not which pile a picture is from. Words are
counted and compared by weighted log-odds (tools/scoring/log_odds.py). Words of the question count where there is one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from store.address import Address
from store.records import Model, Quantity, Reading
from tools.context import ToolContext
from tools.methods.crops import crops
from tools.methods.showing import Named, chosen, maps, seen_by
from tools.methods.values import known
from tools.scoring.intervals import wilson
from tools.scoring.log_odds import log_odds
from tools.stimuli import Stimulus
from tools.tool import Arguments, Result, tool

LISTED = 40
"""Phrases that a result lists."""
CROPPED = 48
"""Most active pictures from which crops are taken."""
CITED = 5
"""Phrases whose shares can be cited by name."""


class DescribeArguments(Arguments):
    component: Annotated[
        str, Field(description="Describe what excites this component (or leave out, and name `images`).")
    ] = ""
    reading: Reading = Reading()
    images: Annotated[tuple[Named, ...], Field(max_length=64, description="Pictures to describe.")] = ()
    n: Annotated[int, Field(ge=16, le=400, description="Pictures from the upper quantiles.")] = 120

    @model_validator(mode="after")
    def _one_of_two(self) -> DescribeArguments:
        if bool(self.images) == bool(self.component):
            raise ValueError("give either `images` or a `component`")
        return self


class Caption(Model):
    key: str
    phrases: tuple[str, ...]


class Told(Model):
    """A phrase with the number of active and inactive pictures, and of hot and cold crops, that show it; and how many
    standard deviations of log-odds set each two apart (above 0: more among the active or hot)."""

    phrase: str
    active: int
    inactive: int
    hot: int = 0
    cold: int = 0
    z_pictures: float
    z_crops: float = 0.0


class Described(Result):
    """`phrases` by weight of evidence; `words` likewise for questions' words (with `kind: color`, `answer: red`).

    `n` counts active pictures, `calm` inactive ones, `crops` hot crops (as many are cold).
    """

    component: str = ""
    reading: Reading = Reading()
    captions: tuple[Caption, ...] = ()
    phrases: tuple[Told, ...] = ()
    words: tuple[Told, ...] = ()
    n: int = 0
    calm: int = 0
    crops: int = 0


class Groups(NamedTuple):
    """Pictures by number: on which the component is active, and on which it is not."""

    active: list[int]
    calm: list[int]


@tool
def describe(context: ToolContext, arguments: DescribeArguments) -> Described:
    """Which phrases tell what excites a component apart from what does not, by a describer blind to activations.

    With `component`: describes pictures from the upper quantiles and as many inactive ones, and crops around the
    hottest and the coldest patch of the 48 most active where the reading has a place (neurons at visual tokens,
    language heads at the answer); counts phrases, and ranks them by weighted log-odds. With `images`: their captions
    alone. Gives candidates for hypotheses, never evidence for one.
    """
    if arguments.images:
        return _captions(context, arguments.images)
    address = context.address(arguments.component)
    groups = _groups(context, address, arguments)
    active = [context.images.asked(number) for number in groups.active]
    calm = [context.images.asked(number) for number in groups.calm]
    piles = [_described(context, active), _described(context, calm)]
    hot: list[tuple[str, ...]] = []
    cold: list[tuple[str, ...]] = []
    if _placed(context, address, arguments.reading):
        hot, cold = _crops(context, address, arguments.reading, active[:CROPPED])
    phrases = _ranked(piles[0], piles[1], hot, cold)
    words = _ranked([_words(one) for one in active], [_words(one) for one in calm], [], [])
    if address.tower == "vision":
        words = []
    return Described(
        component=str(address),
        reading=arguments.reading,
        phrases=tuple(phrases[:LISTED]),
        words=tuple(words[:LISTED]),
        n=len(active),
        calm=len(calm),
        crops=len(hot),
        quantities=_quantities(phrases, len(active), len(calm)),
        warnings=() if phrases else ("the describer found no words for these pictures",),
        summary=_summary(address, arguments.reading, phrases, words, len(active)),
    )


def _captions(context: ToolContext, named: Sequence[int | str]) -> Described:
    stimuli = chosen(context, named)
    told = _described(context, stimuli)
    captions = tuple(
        Caption(key=stimulus.key, phrases=said) for stimulus, said in zip(stimuli, told, strict=True)
    )
    listed = "; ".join(f"{one.key}: {', '.join(one.phrases[-4:]) or 'nothing'}" for one in captions)
    return Described(captions=captions, n=len(captions), summary=listed[:400])


def _groups(context: ToolContext, address: Address, arguments: DescribeArguments) -> Groups:
    """The top of the index and the highest of its sample; against them the lower half of the sample."""
    pool = known(context, address, arguments.reading)
    order = np.argsort(-pool.sample, kind="stable")
    ranked = [int(pool.sample_numbers[i]) for i in order if not np.isnan(pool.sample[i])]
    upper = ranked[: max(1, len(ranked) // 4)]
    active = list(dict.fromkeys([*(number for number, _ in pool.top), *upper]))[: arguments.n]
    lower = [number for number in ranked[len(ranked) // 2 :] if number not in set(active)]
    picked = context.random(address, "calm").permutation(lower)[: arguments.n]
    return Groups(active, sorted(map(int, picked)))


def _placed(context: ToolContext, address: Address, reading: Reading) -> bool:
    """Whether the map says where in the picture the reading's values come from: a neuron's at visual tokens does, a
    language head's attention where it is read at the answer, and a cross-attention's at the question's words."""
    if not seen_by(context, address):
        return False
    told = {"language": "answer", "cross": "question"}.get(address.tower, "visual")
    return reading.scope == (told if address.part == "head" else "visual")


def _described(context: ToolContext, stimuli: Sequence[Stimulus]) -> list[tuple[str, ...]]:
    return context.describer.describe([stimulus.image for stimulus in stimuli])


def _crops(
    context: ToolContext, address: Address, reading: Reading, stimuli: Sequence[Stimulus]
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """What the hot and the cold crop of each picture show."""
    heat = maps(context, address, reading, stimuli)
    found = [
        crops(stimulus.image, one, context.adapter.boxes(*stimulus.image.size).boxes)
        for stimulus, one in zip(stimuli, heat, strict=True)
    ]
    told = context.describer.describe([*(pair.hot for pair in found), *(pair.cold for pair in found)])
    return told[: len(found)], told[len(found) :]


def _words(stimulus: Stimulus) -> tuple[str, ...]:
    """The question's words; its kind and its answer each as one word, where they are known."""
    known = (("kind", stimulus.kind.replace("_", " ")), ("answer", stimulus.answer))
    return (
        *re.findall(r"\w+", stimulus.question.lower()),
        *(f"{name}: {word}" for name, word in known if word),
    )


def _ranked(
    active: Sequence[Sequence[str]],
    calm: Sequence[Sequence[str]],
    hot: Sequence[Sequence[str]],
    cold: Sequence[Sequence[str]],
) -> list[Told]:
    """Every phrase with its counts, those first that the active pictures or hot crops show most beyond the others."""
    counts = [Counter(phrase for said in pile for phrase in set(said)) for pile in (active, calm, hot, cold)]
    phrases = sorted(set().union(*counts))
    if len(phrases) < 2:
        return []
    table = np.array([[count[phrase] for phrase in phrases] for count in counts], dtype=np.float64)
    pictures = log_odds(table[0], table[1], table[0] + table[1] + 0.01).z
    places = np.zeros(len(phrases)) if not hot else log_odds(table[2], table[3], table[2] + table[3] + 0.01).z
    found = [
        Told(
            phrase=phrase,
            active=int(table[0, i]),
            inactive=int(table[1, i]),
            hot=int(table[2, i]),
            cold=int(table[3, i]),
            z_pictures=round(float(pictures[i]), 3),
            z_crops=round(float(places[i]), 3),
        )
        for i, phrase in enumerate(phrases)
    ]
    return sorted(found, key=lambda told: (-(told.z_pictures + max(told.z_crops, 0.0)), told.phrase))


def _quantities(phrases: Sequence[Told], active: int, calm: int) -> dict[str, Quantity]:
    """Shares of active pictures that show the first phrases; the control is the share of inactive ones."""
    found = {}
    for told in phrases[:CITED]:
        share = wilson(told.active, active)
        name = re.sub(r"\W+", "_", told.phrase)
        found[f"share_{name}"] = Quantity(
            value=share.value,
            unit="share of active pictures",
            ci=(share.low, share.high),
            n=active,
            control=told.inactive / calm if calm else None,
        )
    return found


def _summary(
    address: Address, reading: Reading, phrases: Sequence[Told], words: Sequence[Told], n: int
) -> str:
    told = "; ".join(
        f"{one.phrase} {one.active}:{one.inactive} (z {one.z_pictures:+.1f}"
        + (f", crops {one.hot}:{one.cold} z {one.z_crops:+.1f})" if one.hot or one.cold else ")")
        for one in phrases[:5]
    )
    asked = ", ".join(f"{one.phrase} {one.z_pictures:+.1f}" for one in words[:4])
    end = f" Questions: {asked}." if asked else ""
    return f"{address}, {reading}, {n} active pictures: {told or 'no phrases'}.{end}"[:400]
