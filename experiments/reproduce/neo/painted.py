"""Items of the embedded world: things that a question names, each before a scene of its own.

Knows scenes, so that the pixels of every thing are known exactly; things that some words with their shape fit alone.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.reproduce.neo.items import Item, Pictures
from experiments.tableau.captions import parse_caption
from experiments.tableau.keys import Key
from experiments.tableau.parse import parse
from experiments.tableau.phrases import ATTRIBUTES, Phrase, census, find, full, shortenings
from experiments.tableau.questions import CAPTION_PROMPT, Kind, Question
from experiments.tableau.recall import recall
from experiments.tableau.render import masks, sign_mask
from experiments.tableau.scene import SIDE, Scene
from experiments.worlds import tableau_sources
from tools.stimuli import Stimulus

KINDS: tuple[Kind, ...] = ("color", "shape", "fill")
"""Kinds of questions whose answer one thing gives."""
REFERENCE = 256
LONGEST = 48
TRIED = 2
"""Questions that are tried for every item that is wanted."""


def painted(spec: str, n: int, seed: int) -> Pictures:
    """`n` items, as many of each kind as can be, in turn. Raises UserError for words that mean no part of the world."""
    source = tableau_sources(spec)[0]
    share = -(-n // len(KINDS))
    by_kind = [
        [
            item
            for stimulus in source.ask(kind, TRIED * share, 2000 + seed)
            if (item := _item(stimulus)) is not None
        ]
        for kind in KINDS
    ]
    in_turn = [items[place] for place in range(share) for items in by_kind if place < len(items)]
    return Pictures(
        source.name,
        tuple(in_turn[:n]),
        tuple(source.picture(index) for index in range(min(REFERENCE, len(source)))),
        f"things of 2–6 % of the picture that questions for {', '.join(KINDS)} name",
        LONGEST,
    )


def _item(stimulus: Stimulus) -> Item | None:
    """None where the question names no single thing, or no words with a shape fit that thing alone."""
    found, question = recall(stimulus.key), parse(stimulus.question)
    named = find(question.phrase, found.scene) if question is not None else ()
    if len(named) != 1:
        return None
    drawn, phrase = masks(found.scene), _called(found.scene, named[0])
    if phrase is None or not drawn[named[0]].any():
        return None
    thing = found.scene.things[named[0]]
    others = drawn[[index for index in range(len(drawn)) if index != named[0]]].any(axis=0)
    assert drawn.shape[1:] == (SIDE, SIDE)
    return Item(
        polling=_other(stimulus, found.key, Question("polling", phrase).text(), "yes", "polling"),
        caption=_other(stimulus, found.key, CAPTION_PROMPT, "", ""),
        asked=stimulus,
        thing=drawn[named[0]],
        others=others | sign_mask(found.scene),
        words={"shape": thing.shape, "color": thing.color},
        names_it=lambda text: named_in_caption(text, phrase),
    )


def named_in_caption(text: str, phrase: Phrase) -> bool:
    """Whether the caption claims a thing of which all these words hold. An empty text claims nothing."""
    said = [name for name in ATTRIBUTES if phrase.names(name)]
    if not said:
        raise ValueError("every caption names a thing of which nothing is said")
    return any(
        all(getattr(claim, name) == getattr(phrase, name) for name in said)
        for claim in parse_caption(text).things
    )


def _called(scene: Scene, index: int) -> Phrase | None:
    """The shortest words with its shape that fit this thing alone."""
    counted = census(scene)
    told = shortenings(full(scene.things[index]))
    return next((one for one in told if one.names("shape") and counted[one] == 1), None)


def _other(stimulus: Stimulus, key: Key, question: str, answer: str, kind: str) -> Stimulus:
    """The same picture with another question."""
    return replace(stimulus, key=str(key.asked(question)), question=question, answer=answer, kind=kind)
