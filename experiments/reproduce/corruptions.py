"""Three ways to corrupt a question about a picture: another picture, another word, or noise.

Knows semantic image pairs (SIP: the picture is edited so that the right answer changes; NOTICE, Golovanevsky et al.
2024), symmetric token replacement (STR: one word of the question is replaced by another of as many tokens; Zhang and
Nanda 2024) and Gaussian noise on the picture's pixels (GN). Knows nothing about targets, nor who edits pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from PIL import Image

from experiments.reproduce.edits import wishes
from experiments.tableau.parse import parse
from experiments.tableau.phrases import ATTRIBUTES, VALUES
from experiments.tableau.questions import ANSWERS, DIRECTIONS, Unanswerable, answer
from experiments.tableau.recall import recall
from store.errors import UserError
from tools.stimuli import ImageEditor, Stimulus

OPPOSED = (("left", "right"), ("above", "below"), tuple(DIRECTIONS.values()))
"""Words that may stand for one another beside those of an attribute."""
FULL = 255.0


def image_pair(stimulus: Stimulus, editor: ImageEditor, rng: np.random.Generator) -> Stimulus | None:
    """The same question before an edited picture in which its right answer is another one; None where no edit is
    carried out.

    An editor that knows answers must agree with the answer that the instruction promises.
    """
    question, seen = parse(stimulus.question), recall(stimulus.key).scene
    if question is None:
        return None
    for wish in wishes(question, seen, stimulus.answer, rng):
        try:
            made = editor.edit(stimulus, wish.instruction, int(rng.integers(2**16)))
        except UserError:
            continue
        if made.question == stimulus.question and made.answer in ("", wish.answer):
            return replace(made, answer=wish.answer, kind=stimulus.kind)
    return None


def token_replacement(
    stimulus: Stimulus, tokens: Callable[[str], int], rng: np.random.Generator
) -> Stimulus | None:
    """The same picture with a question that differs in one word and in its right answer; None where none is known.

    `tokens` counts a text's tokens: both questions have as many. Answers that name nothing ("none") do not count.
    """
    seen = recall(stimulus.key).scene
    texts = [text for text in _replaced(stimulus.question) if tokens(text) == tokens(stimulus.question)]
    for place in rng.permutation(len(texts)):
        question = parse(texts[place])
        if question is None or question.kind != stimulus.kind:
            continue
        try:
            word = answer(question, seen)
        except Unanswerable:
            continue
        if word != stimulus.answer and word in ANSWERS[question.kind]:
            key = f"{stimulus.key}?{texts[place]}"
            return replace(stimulus, key=key, question=texts[place], answer=word)
    return None


def noisy(stimulus: Stimulus, strength: float, seed: int) -> Stimulus:
    """The same question before the picture with independent noise on every channel of every pixel.

    `strength` is the noise's standard deviation as a share of the full range; values are cut off at black and white.
    """
    pixels = np.asarray(stimulus.image, dtype=np.float64)
    noise = np.random.default_rng(seed).normal(0.0, strength * FULL, pixels.shape)
    picture = Image.fromarray(np.clip(np.rint(pixels + noise), 0, FULL).astype(np.uint8))
    return replace(stimulus, key=f"{stimulus.key} + noise {strength:g} #{seed}", image=picture)


def _replaced(text: str) -> Iterator[str]:
    words = text.split()
    for place, word in enumerate(words):
        for family in (*(VALUES[name] for name in ATTRIBUTES), *OPPOSED):
            if word in family:
                for other in family:
                    if other != word:
                        yield " ".join([*words[:place], other, *words[place + 1 :]])
