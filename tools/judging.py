"""Concept judges: how likely a phrase holds in a picture, said by something that sees the picture alone.

Knows the interfaces that all judges share; knows nothing about how one of them sees, what it was trained on, or what
its words are. A judge is blind to the model under study: it gets pixels and words, never an activation. What is said of
a stimulus's words ("question asks color", "question names red", "answer is red") needs no judge and is read here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32
from PIL import Image

from tools.stimuli import Stimulus

_OF_WORDS = re.compile(r"(?:the )?(?P<what>question asks|question names|answer is) (?P<word>.+)")


class ConceptJudge(Protocol):
    """Anything that can say of pictures, or crops of pictures, whether phrases hold in them."""

    def present(
        self, images: Sequence[Image.Image], phrases: Sequence[str], /
    ) -> Float32[np.ndarray, "image phrase"]:
        """Probability, from 0 (surely not) to 1 (surely), that each phrase holds somewhere in each picture.

        Every entry depends on its own picture and phrase alone, so a matrix may be made in parts and kept. Pictures
        are RGB and may differ in size. Raises UserError when a phrase is not in the judge's language or a picture is
        too small for it.
        """
        ...


@runtime_checkable
class Counting(Protocol):
    """A judge that can count."""

    def counted(
        self, images: Sequence[Image.Image], phrases: Sequence[str], /
    ) -> Float32[np.ndarray, "image phrase"]:
        """How many things each phrase fits in each picture, as an expected number; for phrases about things.

        Raises UserError as `ConceptJudge.present` does.
        """
        ...


@runtime_checkable
class StimulusJudge(Protocol):
    """A judge that knows more of a stimulus than its pixels, such as the scene it was painted from."""

    def present_stimuli(
        self, stimuli: Sequence[Stimulus], phrases: Sequence[str], /
    ) -> Float32[np.ndarray, "stimulus phrase"]:
        """Like `ConceptJudge.present`, for stimuli. Raises UserError for one that the judge does not know."""
        ...


def judge_matrix(
    judge: ConceptJudge, stimuli: Sequence[Stimulus], phrases: Sequence[str]
) -> Float32[np.ndarray, "stimulus phrase"]:
    """Probability that each phrase holds of each stimulus: what is said of its words is read, the rest is judged."""
    matrix = np.zeros((len(stimuli), len(phrases)), dtype=np.float32)
    of_words = [_OF_WORDS.fullmatch(phrase.strip().lower()) for phrase in phrases]
    for column, match in enumerate(of_words):
        if match:
            matrix[:, column] = [_said(stimulus, match["what"], match["word"]) for stimulus in stimuli]
    seen = [column for column, match in enumerate(of_words) if not match]
    if seen and stimuli:
        words = [phrases[column] for column in seen]
        if isinstance(judge, StimulusJudge):
            matrix[:, seen] = judge.present_stimuli(stimuli, words)
        else:
            matrix[:, seen] = judge.present([stimulus.image for stimulus in stimuli], words)
    return matrix


def of_question(phrase: str) -> bool:
    """Whether the phrase speaks of what a question asks or names, and so of no picture and no answer."""
    match = _OF_WORDS.fullmatch(phrase.strip().lower())
    return match is not None and match["what"] != "answer is"


def _said(stimulus: Stimulus, what: str, word: str) -> bool:
    match what:
        case "question asks":
            return stimulus.kind.replace("_", " ") == word.removeprefix("for ").replace("_", " ")
        case "question names":
            return re.search(rf"\b{re.escape(word)}s?\b", stimulus.question.lower()) is not None
        case _:
            return stimulus.answer.lower() == word
