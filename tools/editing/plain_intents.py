"""What an edit means where no scene graph helps: photographs, a phrase, and the words that a describer may use.

Fulfils `tools.editing.intent.Intents`. Knows English alone: which instruction adds or removes a thing, and that words
which share none with the phrase speak of something else. What the judge sees of those must not change; where in the
picture the change lies nobody can say, so no region is checked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from PIL import Image

from store.errors import UserError
from tools.editing.intent import Intent, Planned
from tools.stimuli import Change, Stimulus

CANVAS = 512
"""Side in pixels of the empty picture with which a drawn one is compared."""
_VOWELS = "aeiou"


class PlainIntents:
    """Intents for pictures of which nothing is known; `vocabulary` are the phrases that are watched."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.vocabulary = tuple(vocabulary)

    def pair(self, stimulus: Stimulus, concept: str, change: Change, seed: int, /) -> Planned | None:
        """Adds or removes what one phrase names. Raises UserError for a swap and for a combination of phrases."""
        phrase = _plain(concept)
        if change == "swap":
            raise UserError(
                f"nobody can say which word of `{phrase}` to swap in a photograph",
                kind="change",
                hint="take `add` or `remove`, or give the instruction to `edit`",
            )
        if change == "add":
            intent = Intent(f"add {_with_article(phrase)}", phrase, (phrase,), (), self._others(phrase))
        else:
            intent = Intent(f"remove the {phrase}", f"no {phrase}", (), (phrase,), self._others(phrase))
        told = f"{intent.instruction} in {stimulus.key}"
        return Planned(phrase, intent, stimulus, _after(stimulus, f"{change} {phrase}", seed), told)

    def edit(self, stimulus: Stimulus, instruction: str, seed: int, /) -> Planned:
        """An instruction in free words: what it is to bring about is not known, so phrases that share no word with it
        are all that is checked: it can't be proved. Raises UserError for one without words.
        """
        words = _plain(instruction)
        intent = Intent(instruction, words, (), (), self._others(words))
        return Planned(words, intent, stimulus, _after(stimulus, f"edit {words}", seed), f"`{words}`")

    def generate(self, prompt: str, seed: int, /) -> Planned:
        """A picture in which the judge sees what the prompt says. Raises UserError for one without words."""
        words = _plain(prompt)
        canvas = Stimulus("made", Image.new("RGB", (CANVAS, CANVAS), "white"))
        intent = Intent(f"draw {words}", words, (words,))
        return Planned(words, intent, canvas, _after(canvas, f"paint {words}", seed), f"drew `{words}`")

    def _others(self, words: str) -> tuple[str, ...]:
        """Watched phrases that share no word with these."""
        said = set(words.split())
        return tuple(phrase for phrase in self.vocabulary if not said & set(_words(phrase)))


def _after(stimulus: Stimulus, step: str, seed: int) -> Stimulus:
    """What the edited picture is called; a question stays without an answer, which nobody knows."""
    return replace(stimulus, key=f"{stimulus.key}|{step} #{seed}", answer="")


def _plain(text: str) -> str:
    if re.search(r"[|&!+()]", text):
        raise UserError(
            f"`{text}` is a combination, which no single change of a photograph makes true or false",
            kind="concept",
            hint="name one of its phrases",
        )
    words = " ".join(_words(text))
    if not words:
        raise UserError(f"`{text}` has no words", kind="concept", hint="name a thing, such as `red car`")
    return words


def _words(text: str) -> list[str]:
    return re.findall(r"[\w'-]+", text.lower())


def _with_article(phrase: str) -> str:
    if phrase.split()[0] in ("a", "an", "the"):
        return phrase
    return f"{'an' if phrase[0] in _VOWELS else 'a'} {phrase}"
