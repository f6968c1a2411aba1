"""What an edit means in the painted world: the words that a model gets, and which phrases and pixels may change.

Fulfils `tools.editing.intent.Intents`. The exact editor says what is meant; from the scenes before and after follow the
instruction, every phrase that must come, go or stay, and the region. A model never sees a scene, and neither does the
verifier: they get words, pixels and a mask.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Bool

from experiments.tableau.captions import caption
from experiments.tableau.concepts import holds, read_concept
from experiments.tableau.editor import ExactEditor
from experiments.tableau.keys import MADE
from experiments.tableau.phrases import ATTRIBUTES, VALUES, Phrase, find, full, shortenings
from experiments.tableau.prompt import read_prompt
from experiments.tableau.recall import recall
from experiments.tableau.render import masks, sign_mask
from experiments.tableau.scene import BACKGROUNDS, SIDE, Scene, Thing
from experiments.tableau.source import painted
from store.records import Split
from tools.editing.intent import Intent, Planned
from tools.scoring.narrowing import PLACES
from tools.stimuli import Change, Pair, Stimulus

ANY = "thing"
"""The phrase that fits everything but the background."""
Mask = Bool[np.ndarray, "height width"]


class TableauIntents:
    """Intents for pictures of one split, and what was made of them."""

    def __init__(self, split: Split = "train") -> None:
        self.exact = ExactEditor(split)

    def pair(self, stimulus: Stimulus, concept: str, change: Change, seed: int, /) -> Planned | None:
        """None too where the change can't be put into one instruction that means nothing else in this picture."""
        pair = self.exact.pair(stimulus, concept, change, seed)
        if pair is None:
            return None
        before, after = (pair.without, pair.with_) if change == "add" else (pair.with_, pair.without)
        return _planned(concept, stimulus, before, after, pair.changed)

    def edit(self, stimulus: Stimulus, instruction: str, seed: int, /) -> Planned:
        """The instruction is passed on as it is."""
        after = self.exact.edit(stimulus, instruction, seed)
        intent = intent_of(instruction, recall(stimulus.key).scene, recall(after.key).scene)
        return Planned(instruction, intent, stimulus, after, f"`{instruction}` in {stimulus.key}")

    def generate(self, prompt: str, seed: int, /) -> Planned:
        """Whatever the prompt leaves open may come out in any way: only its own phrases are asked for."""
        after = self.exact.generate(prompt, seed)
        meant = recall(after.key).scene
        come = tuple(
            dict.fromkeys(
                str(phrase)
                for thing in meant.things
                for phrase in shortenings(full(thing))
                if _said_of(prompt, phrase)
            )
        )
        canvas = Stimulus(MADE, painted(Scene("dark")))
        named = read_prompt(prompt).things
        numbers = () if named is None else ((ANY, len(named)),)
        intent = Intent(f"draw {prompt}", prompt, come, numbers=numbers)
        return Planned(prompt, intent, canvas, after, f"drew `{prompt}`")

    def telling(self, pair: Pair, seed: int, /) -> Pair:
        """The pair with a question that tells its sides apart; the pictures are painted ones."""
        return self.exact.telling(pair, seed)

    def reworded(self, stimulus: Stimulus, tokens: Callable[[str], int], seed: int, /) -> Stimulus | None:
        """The picture as it is, with one word of its question replaced."""
        return self.exact.reworded(stimulus, tokens, seed)


def _planned(concept: str, shown: Stimulus, before: Stimulus, after: Stimulus, told: str) -> Planned | None:
    seen, meant = recall(before.key).scene, recall(after.key).scene
    instruction = instruction_for(seen, meant)
    if instruction is None:
        return None
    intent = intent_of(instruction, seen, meant)
    as_shown = Stimulus(before.key, shown.image, before.question, before.answer, before.kind)
    return Planned(concept, intent, as_shown, after, told)


def intent_of(instruction: str, seen: Scene, meant: Scene) -> Intent:
    """What an instruction that makes one scene of the other asks for.

    Of a thing that is added only what the words say of it must come: the rest was drawn by chance, and so was its place
    where they name no quarter.
    """
    come, gone, kept = changes(seen, meant)
    region = region_of_change(seen, meant)
    more = len(meant.things) - len(seen.things)
    if more > 0:
        come = tuple(phrase for phrase in come if _said_of(instruction, phrase))
        if not any(place in instruction.lower() for place in PLACES):
            region |= ~_drawn(seen, seen.things, sign=True)
    return Intent(instruction, caption(meant), come, gone, kept, ((ANY, more),), region)


def instruction_for(before: Scene, after: Scene) -> str | None:
    """The words for the one change between two scenes, so that they fit nothing else in the first of them.

    None where more than one thing changed (other than all things of a kind having gone), or where a changed thing has a
    twin.
    """
    if before.background != after.background:
        return f"make the background {after.background}" if before.things == after.things else None
    gone = [thing for thing in before.things if thing not in after.things]
    come = [thing for thing in after.things if thing not in before.things]
    if len(gone) == 1 and not come:
        phrase = only(gone[0], before)
        return f"remove the {phrase}" if phrase else None
    if gone and not come:
        return _all_gone(gone, before)
    if len(come) == 1 and not gone:
        return f"add {full(come[0]).with_article} in the {come[0].quarter}"
    if len(gone) == len(come) == 1 and (phrase := only(gone[0], before)):
        return _made(phrase, gone[0], come[0])
    return None


def _made(phrase: Phrase, before: Thing, after: Thing) -> str | None:
    altered = [name for name in ATTRIBUTES if getattr(before, name) != getattr(after, name)]
    if len(altered) != 1:
        return None
    word = getattr(after, altered[0])
    return f"turn the {phrase} into a {word}" if altered[0] == "shape" else f"make the {phrase} {word}"


def _all_gone(gone: list[Thing], before: Scene) -> str | None:
    """ "remove all red stars", where a phrase fits those that went and no others."""
    for phrase in shortenings(full(gone[0])):
        if [before.things[index] for index in find(phrase, before)] == gone:
            return f"remove all {phrase.plural}"
    return "remove everything" if len(gone) == len(before.things) else None


def only(thing: Thing, seen: Scene) -> Phrase | None:
    """The shortest phrase with a shape that fits this thing alone, by color rather than by size or fill; None for one
    that has a twin.
    """
    fitting = [phrase for phrase in shortenings(full(thing)) if phrase.shape and len(find(phrase, seen)) == 1]
    return min(fitting, key=lambda phrase: (phrase.said, phrase.color is None), default=None)


@lru_cache(maxsize=1)
def watched() -> tuple[str, ...]:
    """Every phrase of which an edit must give account: single words, each shape with one more word, backgrounds."""
    singles = [Phrase(**{name: word}) for name in ATTRIBUTES for word in VALUES[name]]  # type: ignore[arg-type]
    doubles = [
        Phrase(**{name: word, "shape": shape})  # type: ignore[arg-type]
        for name in ATTRIBUTES[:-1]
        for word in VALUES[name]
        for shape in VALUES["shape"]
    ]
    return (*map(str, (*singles, *doubles)), *(f"{word} background" for word in BACKGROUNDS))


def changes(before: Scene, after: Scene) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Which of the watched phrases come, go, and stay as they are."""
    concepts = [read_concept(phrase) for phrase in watched()]
    truths = [(holds(concept, before), holds(concept, after)) for concept in concepts]
    told = list(zip(watched(), truths, strict=True))
    return (
        tuple(phrase for phrase, truth in told if truth == (False, True)),
        tuple(phrase for phrase, truth in told if truth == (True, False)),
        tuple(phrase for phrase, truth in told if truth[0] == truth[1]),
    )


def region_of_change(before: Scene, after: Scene) -> Mask:
    """The pixels that an edit may change: the things that come or go as they are drawn, or, where the background
    changes, all but the things and the sign. A thing that is added may lie anywhere in its quarter where nothing is.
    """
    if before.background != after.background:
        return ~_drawn(before, before.things, sign=True)
    gone = tuple(thing for thing in before.things if thing not in after.things)
    come = tuple(thing for thing in after.things if thing not in before.things)
    region = _drawn(before, gone, sign=before.sign != after.sign) | _drawn(
        after, come, sign=before.sign != after.sign
    )
    if come and not gone:
        region |= _quarter(come[0]) & ~_drawn(before, before.things, sign=True)
    return region


def _drawn(scene: Scene, things: tuple[Thing, ...], *, sign: bool) -> Mask:
    """What the things, and the sign if it is meant too, cover."""
    covered = np.zeros((SIDE, SIDE), dtype=bool)
    for thing, mask in zip(scene.things, masks(scene), strict=True):
        if thing in things:
            covered |= mask
    return covered | sign_mask(scene) if sign and scene.sign is not None else covered


def _quarter(thing: Thing) -> Mask:
    rows, columns = np.indices((SIDE, SIDE))
    return ((rows >= SIDE / 2) == (thing.y >= SIDE / 2)) & ((columns >= SIDE / 2) == (thing.x >= SIDE / 2))


def _said_of(prompt: str, phrase: Phrase | str) -> bool:
    """Whether the prompt has every word of the phrase: what it left open was drawn by chance."""
    words = prompt.lower().split()
    return all(any(word in (said, said + "s", said + "es") for word in words) for said in str(phrase).split())
