"""What is said of a stimulus, as phrases that a concept may be made of: picture, question and answer.

Of the picture the describer speaks, blind to activations; of the question its own words. Not a tool.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from tools.context import ToolContext


def spoken(context: ToolContext, stimuli: Sequence[Stimulus], *, of_question: bool) -> list[frozenset[str]]:
    """By stimulus: "red star", "dark background", "red thing in the upper left"; with the question also "question names
    star", "answer is red"."""
    images = [stimulus.image for stimulus in stimuli]
    seen, placed = context.describer.describe(images), context.describer.placed(images)
    return [
        frozenset(phrases).union(lying, _asked(stimulus) if of_question else ())
        for phrases, lying, stimulus in zip(seen, placed, stimuli, strict=True)
    ]


def _asked(stimulus: Stimulus) -> frozenset[str]:
    known = (("question asks for", stimulus.kind.replace("_", " ")), ("answer is", stimulus.answer))
    words = re.findall(r"\w{2,}", stimulus.question.lower())
    return frozenset(
        [*(f"question names {word}" for word in words), *(f"{name} {word}" for name, word in known if word)]
    )
