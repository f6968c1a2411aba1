"""The exact editor: pictures to order, by changing a scene graph and painting it again.

Fulfils `tools.stimuli.ImageEditor`. Knows stimuli, questions that survive an edit, and what differs between two
pictures; which change is made is said by pairing.py, instructions.py and prompt.py. A question stays with an edited
picture only where its answer there is known; a pair keeps it on both sides or on neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from experiments.tableau.combined import heard, parts, spoken
from experiments.tableau.keys import MADE, Key, Step, plain_words
from experiments.tableau.parse import parse
from experiments.tableau.prompt import read_prompt
from experiments.tableau.questions import Question, Unanswerable, answer
from experiments.tableau.recall import Recalled, recall, take
from experiments.tableau.render import masks
from experiments.tableau.replacement import token_replacement
from experiments.tableau.scene import Scene, Thing
from experiments.tableau.source import painted
from experiments.tableau.telling import telling_question
from store.errors import UserError
from store.records import Split
from tools.stimuli import Change, Pair, Stimulus


class ExactEditor:
    """Edits pictures of one split, and what it made of them; the same stimulus, words and seed give the same picture.

    The planner's edits descend from `train`; a scorer may have an editor of its own for another split.
    """

    name = "exact"

    def __init__(self, split: Split = "train") -> None:
        self.split = split

    def pair(self, stimulus: Stimulus, concept: str, change: Change, seed: int, /) -> Pair | None:
        """The stimulus beside one in which the concept stops (`remove`, `swap`) or starts (`add`) to hold.

        `remove` takes all matching things away, `swap` changes one word of the only matching thing, `add` puts one
        more thing where there is room; a background is replaced. Of a combination of phrases one part is changed.
        None where this picture does not allow it.
        """
        step = Step(change, spoken(concept), seed)
        heard(step.words)
        key, seen = self._open(stimulus)
        made = take(key.bare, step)
        if made is None:
            return None
        before, after = _both_asked(stimulus, (key, seen), (key.then(step), made.scene))
        without, with_ = (before, after) if change == "add" else (after, before)
        told = f"{made.told} in {stimulus.key}"
        return Pair(concept, without, with_, told, _region(seen, made.scene, made.touched))

    def telling(self, pair: Pair, seed: int, /) -> Pair:
        """The pair with a question whose right answers differ between its sides (telling.py)."""
        (without_key, without), (with_key, with_) = recall(pair.without.key), recall(pair.with_.key)
        chance = with_key.then(Step("edit", f"ask {spoken(pair.concept)}", seed)).chance()
        question = telling_question(without, with_, parts(heard(spoken(pair.concept))), chance)
        sides = [
            _asked(key.asked(question.text), scene, question.meant, question.text)
            for key, scene in ((without_key, without), (with_key, with_))
        ]
        return replace(pair, without=sides[0], with_=sides[1])

    def reworded(self, stimulus: Stimulus, tokens: Callable[[str], int], seed: int, /) -> Stimulus | None:
        """The picture with one word of its question replaced, so that the right answer changes (replacement.py)."""
        return token_replacement(stimulus, tokens, np.random.default_rng(seed))

    def edit(self, stimulus: Stimulus, instruction: str, seed: int, /) -> Stimulus:
        """The stimulus after an instruction of instructions.py; its question stays where it can be answered."""
        key, _ = self._open(stimulus)
        step = Step("edit", plain_words(instruction), seed)
        made = take(key.bare, step)
        assert made is not None  # instructions are carried out or refused
        return _asked_again(stimulus, key.then(step), made.scene)

    def generate(self, prompt: str, seed: int, /) -> Stimulus:
        """A picture of exactly what a prompt of prompt.py says, the rest being drawn at random."""
        read_prompt(prompt)
        step = Step("paint", plain_words(prompt), seed)
        made = take(Key(MADE), step)
        assert made is not None  # prompts are painted or refused
        return Stimulus(str(Key(MADE).then(step)), painted(made.scene))

    def ask(self, stimulus: Stimulus, question: str) -> Stimulus:
        """The stimulus with another question and its right answer.

        Raises UserError of kind "question" when it is not in the grammar or has no single answer in this picture.
        """
        key, seen = self._open(stimulus)
        asked = _asked_again(replace(stimulus, question=question), key.asked(question), seen)
        if not asked.question:
            raise UserError(
                f"`{question}` has no single right answer here",
                kind="question",
                hint='ask such as "what color is the star ?" of something that is there once',
            )
        return asked

    def _open(self, stimulus: Stimulus) -> Recalled:
        key, seen = recall(stimulus.key)
        if key.base != MADE and not key.base.startswith(f"{self.split}/"):
            raise UserError(
                f"`{stimulus.key}` is not a picture of `{self.split}`",
                kind="split",
                hint=f"edit a picture of `{self.split}`: others are kept for judging",
            )
        return Recalled(key, seen)


def _both_asked(
    stimulus: Stimulus, source: tuple[Key, Scene], edited: tuple[Key, Scene]
) -> tuple[Stimulus, Stimulus]:
    """The stimulus and the edited one, both with its question, or both without."""
    before, after = _asked_again(stimulus, *source), _asked_again(stimulus, *edited)
    if before.question and after.question:
        return before, after
    return _bare(*source), _bare(*edited)


def _asked_again(stimulus: Stimulus, key: Key, scene: Scene) -> Stimulus:
    """The scene with the stimulus's question where that has one right answer, and bare otherwise."""
    question = parse(stimulus.question)
    if question is None:
        return _bare(key, scene)
    try:
        return _asked(key if key.tail else key.asked(stimulus.question), scene, question, stimulus.question)
    except Unanswerable:
        return _bare(key, scene)


def _asked(key: Key, scene: Scene, question: Question, text: str) -> Stimulus:
    """The scene with a question in words and its right answer. Raises Unanswerable where it has none."""
    return Stimulus(str(key), painted(scene), text, answer(question, scene), question.kind)


def _bare(key: Key, scene: Scene) -> Stimulus:
    return Stimulus(str(key.bare), painted(scene))


def _region(before: Scene, after: Scene, touched: tuple[Thing, ...]) -> Bool[np.ndarray, "height width"]:
    """The pixels that differ, and all that the touched things cover."""
    first, second = (np.asarray(painted(scene)) for scene in (before, after))
    differs: Bool[np.ndarray, "height width"] = (first != second).any(axis=-1)
    for scene in (before, after):
        drawn = masks(scene)
        for index, thing in enumerate(scene.things):
            if thing in touched:
                differs |= drawn[index]
    return differs
