"""Texts with their receipts: `[e12]` becomes a link to the card of experiment 12.

Everything else in a text is a stranger's word and is escaped. A citation of what has no card is shown as lost; a link
that leads nowhere is never made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from markupsafe import Markup, escape

from reports.record import CITATION

_LINK = Markup('<a class="receipt" href="#e{0}" title="{1}">e{0}</a>')
_LOST = Markup('<span class="receipt lost" title="the store has no experiment {0}">e{0}?</span>')


def code(text: str, said: Mapping[str, str] | None = None) -> Markup:
    """Escaped, with what stands in backticks as code, or as `said` tells it, with what was written as its tooltip."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    return Markup("").join(
        _quoted(piece, said or {}) if place % 2 else escape(piece) for place, piece in enumerate(pieces)
    )


def _quoted(piece: str, said: Mapping[str, str]) -> Markup:
    if said.get(piece, piece) == piece:
        return Markup("<code>{}</code>").format(piece)
    return Markup('<span class="concept" title="{}">{}</span>').format(piece, said[piece])


class Receipts:
    """Makes links to the experiments of one page.

    `titles` says for each number what a link's tooltip says, `said` how what stands in backticks is told in words.
    """

    def __init__(self, titles: dict[int, str], said: Mapping[str, str] | None = None) -> None:
        self._titles = titles
        self._said = said

    def one(self, number: int) -> Markup:
        if number in self._titles:
            return _LINK.format(number, self._titles[number])
        return _LOST.format(number)

    def list(self, numbers: Iterable[int]) -> Markup:
        """Links with nothing between them but space; each number once, in the order given."""
        return Markup(" ").join(self.one(number) for number in dict.fromkeys(numbers))

    def text(self, text: str) -> Markup:
        """One paragraph."""
        parts: list[Markup] = []
        last = 0
        for found in CITATION.finditer(text):
            parts.append(code(text[last : found.start()].rstrip(" "), self._said))
            numbers = map(int, re.findall(r"\d+", found[1]))
            parts.append(Markup('<span class="receipts">{}</span>').format(self.list(numbers)))
            last = found.end()
        parts.append(code(text[last:], self._said))
        return Markup("").join(parts)

    def paragraphs(self, text: str) -> Markup:
        """Paragraphs at empty lines."""
        pieces = (piece.strip() for piece in re.split(r"\n\s*\n", text))
        return Markup("").join(Markup("<p>{}</p>").format(self.text(piece)) for piece in pieces if piece)
