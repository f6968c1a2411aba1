"""Items: questions of one kind about pictures, each with an edited picture and, where there is one, an edited question.

Knows how many are tried and what was left out. Knows nothing about what a target makes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from experiments.reproduce.corruptions import image_pair
from experiments.reproduce.edits import EDITED
from experiments.tableau.parse import parse
from experiments.tableau.phrases import Phrase
from experiments.tableau.replacement import token_replacement
from store.errors import UsageError, UserError
from tools.methods.corruptions import noisy, tokens
from tools.stimuli import ImageEditor, Stimulus

if TYPE_CHECKING:
    from tools.context import ToolContext

Corruption = Literal["SIP", "STR", "GN"]
FEWEST = 4
"""Items of a kind without which nothing is said of it."""
TRIED = 4
"""Questions that are tried for every item that is wanted."""


@dataclass(frozen=True, eq=False)
class Item:
    """One question: as it stands, before an edited picture, and with one word replaced (None: no such word)."""

    clean: Stimulus
    image: Stimulus
    text: Stimulus | None

    def corrupt(self, corruption: Corruption, strength: float, seed: int) -> tuple[Stimulus, str] | None:
        """The corrupt side and the answer that the clean one is held against: the right one there, under noise that of
        the edited picture."""
        match corruption:
            case "SIP":
                return self.image, self.image.answer
            case "STR":
                return (self.text, self.text.answer) if self.text is not None else None
            case "GN":
                return noisy(self.clean, strength, seed), self.image.answer


@dataclass(frozen=True, eq=False)
class Items:
    """What came about for one kind. `tried` questions were asked; `refused` had no edit that could be carried out,
    `wordless` no word to replace though the kind has such words.
    """

    kind: str
    items: tuple[Item, ...]
    tried: int
    refused: int
    wordless: int

    @property
    def changed(self) -> float | None:
        """The share of pixels that edits change; None for an editor that gives pictures of another size."""
        shares = [
            float((np.asarray(one.clean.image) != np.asarray(one.image.image)).any(axis=-1).mean())
            for one in self.items
            if one.clean.image.size == one.image.image.size
        ]
        return round(float(np.mean(shares)), 4) if shares else None


def check_kinds(kinds: Sequence[str], known: Sequence[str]) -> None:
    """Raises UsageError for a kind that no edit is known for, one given twice, or none at all."""
    able = [kind for kind in EDITED if kind in known]
    if not able:
        raise UserError(
            "nobody knows which edits change the answers to questions about these pictures",
            kind="kind",
            hint="give `--images tableau`",
        )
    for kind in kinds:
        if kind not in able:
            raise UsageError(
                f"`{kind}` is not a kind of question whose pictures can be edited to order",
                kind="kind",
                hint=f"some of {', '.join(able)}",
            )
    if not kinds or len(set(kinds)) < len(kinds):
        raise UsageError("kinds must be named, each once", kind="kind", hint=f"some of {', '.join(able)}")


def items_of(
    context: ToolContext, editor: ImageEditor, kind: str, n: int, purpose: str, *, words: bool = True
) -> Items:
    """Up to `n` items of a kind, the questions drawn by the run's seed and the purpose.

    With `words` an item must have a word to replace, unless the kind has none. Raises UserError where fewer than
    FEWEST come about.
    """
    asked = context.images.ask(kind, TRIED * n, 1000 + context.derived_seed(purpose, kind) % 2**16)
    rng = context.random(purpose, kind, "edits")
    found = list[Item]()
    tried = refused = wordless = 0
    for stimulus in asked:
        if len(found) == n:
            break
        tried += 1
        image = image_pair(stimulus, editor, rng)
        if image is None:
            refused += 1
            continue
        text = token_replacement(stimulus, lambda text: tokens(context, text), rng) if words else None
        if words and text is None and _names_something(stimulus):
            wordless += 1
            continue
        found.append(Item(stimulus, image, text))
    if len(found) < FEWEST:
        raise UserError(
            f"only {len(found)} items of `{kind}` came about: of {tried} questions, {refused} had no edit that "
            f"`{editor.name}` could carry out and {wordless} no word to replace",
            kind="pairs",
            hint="give a larger `--n`, or other kinds",
        )
    return Items(kind, tuple(found), tried, refused, wordless)


def _names_something(stimulus: Stimulus) -> bool:
    question = parse(stimulus.question)
    return question is not None and question.phrase != Phrase()
