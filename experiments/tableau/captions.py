"""Captions: the whole picture in words, and what such words claim.

Knows one order of saying (things from left to right, then the background, then the sign) and reads it back.
"""

from __future__ import annotations

from dataclasses import dataclass

from experiments.tableau.phrases import Phrase, full, parse_phrase
from experiments.tableau.scene import BACKGROUNDS, COLORS, SHAPES, Background, Scene


@dataclass(frozen=True, slots=True)
class Claims:
    """What a caption says there is. A caption that breaks off keeps what it said until then."""

    things: tuple[Phrase, ...]
    background: Background | None = None
    sign: str | None = None


def caption(scene: Scene) -> str:
    """Such as "a large solid red star , a small dotted blue ring on a dark background with a sign that says moon ."."""
    things = sorted(scene.things, key=lambda thing: (thing.x, thing.y))
    named = " , ".join(full(thing).with_article for thing in things) or "nothing"
    sign = f" with a sign that says {scene.sign.word}" if scene.sign else ""
    return f"{named} on a {scene.background} background{sign} ."


def parse_caption(text: str) -> Claims:
    """What the caption claims; words that fit nowhere are passed over."""
    listed, _, ground = text.removesuffix(" .").partition(" on a ")
    things = []
    for part in listed.split(" , "):
        article, _, rest = part.strip().partition(" ")
        phrase = parse_phrase(rest) if article in ("a", "an") else None
        if phrase:
            things.append(phrase)
    words = ground.split()
    background = next((word for word in BACKGROUNDS if words[:1] == [word]), None)
    sign = words[-1] if "says" in words and words[-1] in (*COLORS, *SHAPES) else None
    return Claims(tuple(things), background, sign)
