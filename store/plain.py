"""Words of strangers made fit to be shown: what would act on a terminal, or hide from a reader, is written out.

Knows characters: controls (which move a terminal's cursor, or ring it), marks that turn the direction of writing, and
marks that nobody sees. Knows nothing about where words come from. Letters of every script, and the joiners that some of
them need, stay as they are.
"""

from __future__ import annotations

import json
import unicodedata
from functools import cache

KEPT = "\n\t\u200c\u200d"
"""Of characters that are no letters: line ends, tabs, and the joiners of scripts and of pictures made of several."""
HIDING = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's categories of what acts or hides: controls, format marks, halves of characters, separators."""


UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE0F), *range(0xE0100, 0xE01F0))
}
"""Letters and marks by Unicode's account that nobody sees: fillers, and selectors of variants. The selector of pictures
(U+FE0F) stays: emoji need it."""


def printable(text: str) -> str:
    """The text with everything that acts or hides written out, such as `\\x1b` or `\\u202e`."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def one_line(text: str) -> str:
    """The same on one line: its line ends are written out too."""
    return printable(text).replace("\n", "\\n").replace("\t", " ")


def unhidden(told: str) -> str:
    """JSON that means the same, with what acts or hides written as JSON writes it without Unicode."""
    if told.isascii() and "\x7f" not in told:
        return told
    return "".join(_in_json(letter) if hides(letter) else letter for letter in told)


@cache
def hides(letter: str) -> bool:
    """Whether a character acts, or is not to be seen."""
    return letter in UNSEEN or (letter not in KEPT and unicodedata.category(letter) in HIDING)


def _in_json(letter: str) -> str:
    return "\\u007f" if letter == "\x7f" else json.dumps(letter)[1:-1]


@cache
def _shown(letter: str) -> str:
    if not hides(letter):
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
