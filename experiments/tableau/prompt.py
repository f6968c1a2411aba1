"""Prompts for pictures: "a red star and two circles on a dark background" becomes a scene.

Knows lists of phrases with numbers, backgrounds and signs, and reads what captions.py writes; every thing that the
prompt names is in the scene, and no other. What is left open is drawn as the balanced world draws it. A prompt that
names no thing ("a dark background") leaves the things open too; "nothing" and "no things" mean an empty scene.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from experiments.tableau.concepts import Concept, read_concept
from experiments.tableau.pairing import MOST_THINGS, fitting
from experiments.tableau.questions import NUMBERS
from experiments.tableau.sampler import arranged
from experiments.tableau.scene import BACKGROUNDS, COLORS, SHAPES, Background, Scene
from experiments.tableau.wording import refusal, single_word, things_concept
from store.errors import UserError

LAYOUTS = 10
"""Draws of the things after which a crowded prompt is refused."""
FEW = (1, 2, 3)
"""How many things stand on a background that was asked for alone."""
_NUMBERS = {word: number for number, word in enumerate(NUMBERS)} | {
    str(number): number for number in range(len(NUMBERS))
}
_ONE = ("a", "an", "the", "one", "another")
_LEAD = re.compile(r"(?:an? )?(?:picture|image|painting|photo|drawing|scene|card) (?:of|with|that shows) ")
_SIGN = re.compile(r"(?:,? ?(?:and|with) )?a sign (?:that says|saying) (?P<word>\w+)")
_GROUND = re.compile(r"(?:(?:on|before|against) )?(?:an? |the )?(?P<word>\w+) background")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a prompt asks for. `things` is None where it says nothing of them, `backgrounds` are those allowed."""

    things: tuple[Concept, ...] | None
    backgrounds: tuple[Background, ...] = BACKGROUNDS
    sign: str = ""


def read_prompt(prompt: str) -> Wish:
    """What the prompt asks for.

    Raises UserError of kind "unknown_phrase" for unknown words, of kind "instruction" for more things than a picture
    holds, a sign that can't be, or no wish at all.
    """
    text = " ".join(re.findall(r"\w+|,", prompt.lower()))
    rest = _LEAD.sub("", text, count=1) if _LEAD.match(text) else text
    sign = _SIGN.search(rest)
    rest = _SIGN.sub("", rest, count=1)
    ground = _GROUND.search(rest)
    rest = _GROUND.sub("", rest, count=1)
    listed = [part.strip() for part in re.split(r",|\band\b|\bwith\b", rest) if part.strip()]
    if not (listed or sign or ground):
        raise refusal(f"`{prompt}` asks for nothing", 'Say for example "a red star and two circles".')
    empty = listed in (["nothing"], ["no things"])
    things = () if empty else tuple(concept for part in listed for concept in _several(part))
    if len(things) > MOST_THINGS:
        raise refusal(f"`{prompt}` asks for {len(things)} things", f"A picture holds at most {MOST_THINGS}.")
    return Wish(things if listed else None, _backgrounds(ground), _sign_word(sign))


def painted_wish(wish: Wish, rng: np.random.Generator) -> Scene:
    """A scene that is as wished. Raises UserError of kind "no-room" when the things find no places."""
    background = wish.backgrounds[int(rng.integers(len(wish.backgrounds)))]
    concepts = wish.things
    if concepts is None:
        concepts = (Concept(),) * int(rng.choice(FEW))
    for attempt in range(LAYOUTS):
        things = [fitting(concept, rng) for concept in concepts]
        try:
            seen = arranged(rng, things, background, sign=bool(wish.sign))
        except UserError:
            if attempt == LAYOUTS - 1:
                raise
            continue
        sign = replace(seen.sign, word=wish.sign) if seen.sign else None  # type: ignore[arg-type]
        return replace(seen, sign=sign)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _several(part: str) -> list[Concept]:
    """As many concepts as the part counts: "two red stars", "a circle", "stars" (two)."""
    first, _, rest = part.partition(" ")
    if first in _NUMBERS and rest:
        return [things_concept(rest)] * _NUMBERS[first]
    return [things_concept(rest if first in _ONE and rest else part)]


def _backgrounds(found: re.Match[str] | None) -> tuple[Background, ...]:
    if found is None:
        return BACKGROUNDS
    allowed = read_concept(f"{found['word']} background").background or frozenset()
    return tuple(word for word in BACKGROUNDS if word in allowed)


def _sign_word(found: re.Match[str] | None) -> str:
    if found is None:
        return ""
    _, word = single_word(found["word"])
    if word not in (*COLORS, *SHAPES):
        raise refusal(f"a sign can't say `{word}`", "It says a color or a shape.")
    return word
