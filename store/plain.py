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


def printable(text: str) -> str:
    """The text with everything that acts or hides written out, such as `\\x1b` or `\\u202e`."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def one_line(text: str) -> str:
    """The same on one line: its line ends are written out too."""
    return printable(text).replace("\n", "\\n").replace("\t", " ")


def unhidden(told: str) -> str:
    """JSON that means the same, with what acts or hides written as JSON writes it without Unicode."""
    if told.isascii():
        return told
    return "".join(json.dumps(letter)[1:-1] if hides(letter) else letter for letter in told)


@cache
def hides(letter: str) -> bool:
    """Whether a character acts, or is not to be seen."""
    return letter not in KEPT and unicodedata.category(letter) in HIDING


@cache
def _shown(letter: str) -> str:
    if not hides(letter):
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
