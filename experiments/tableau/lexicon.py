"""The words of tableau: the model's vocabulary, and the near words that scorers use.

The vocabulary is collected from the templates, so that a new wording needs no second list. Synonyms and hypernyms are
read by the concept parser and stand in the vocabulary, but no training text uses them.
"""

from __future__ import annotations

from experiments.tableau.phrases import PLURALS
from experiments.tableau.questions import ANSWERS, CAPTION_PROMPT, DIRECTIONS, RELATIONS, TEMPLATES
from experiments.tableau.scene import BACKGROUNDS, COLORS, FILLS, SHAPES, SIZES

PAD, START, UNKNOWN, END, IMAGE, TURN = "<pad>", "<s>", "<unk>", "</s>", "<image>", ":"
"""Special tokens. TURN stands between question and answer, so an answer is always predicted from the same word."""

SYNONYMS: dict[str, str] = {
    "disc": "circle",
    "disk": "circle",
    "crescent": "moon",
    "plus": "cross",
    "donut": "ring",
    "box": "square",
    "crimson": "red",
    "violet": "purple",
    "turquoise": "cyan",
    "plain": "solid",
    "spotted": "dotted",
    "lined": "striped",
    "little": "small",
    "tiny": "small",
    "big": "large",
    "huge": "large",
}
"""Word → the word of the language with the same meaning."""
HYPERNYMS: dict[str, tuple[str, ...]] = {
    "warm": ("red", "orange", "yellow", "pink"),
    "cool": ("green", "cyan", "blue", "purple"),
    "round": ("circle", "ring", "moon"),
    "pointed": ("star", "triangle", "square", "cross"),
    "patterned": ("striped", "dotted"),
    "textured": ("checkered", "wavy"),
}
"""Word → the words of the language that it covers."""


def vocabulary() -> tuple[str, ...]:
    """Every token of the embedded models, special ones first, in a fixed order; at most 250."""
    words: list[str] = [
        *SHAPES,
        *COLORS,
        *FILLS,
        *SIZES,
        *BACKGROUNDS,
        *PLURALS.values(),
        *DIRECTIONS.values(),
    ]
    for options in ANSWERS.values():
        words += options
    for wordings in TEMPLATES.values():
        for wording in wordings:
            words += [word for word in wording.split() if "{" not in word]
    words += [word for relation in RELATIONS for word in relation.split()]
    words += f"{CAPTION_PROMPT} a an the , . is thing none nothing on background with sign that says".split()
    words += [*SYNONYMS, *HYPERNYMS]
    return (PAD, START, UNKNOWN, END, IMAGE, TURN, *dict.fromkeys(words))
