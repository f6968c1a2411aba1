"""Phrases: the words for one thing, and what they mean.

Knows how "large striped red star" is written, read back and checked against a scene graph. Knows nothing about whole
questions (questions.py).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from experiments.tableau.scene import COLORS, FILLS, SHAPES, SIZES, Color, Fill, Scene, Shape, Size, Thing

Attribute = str
ATTRIBUTES: tuple[Attribute, ...] = ("size", "fill", "color", "shape")
"""In the order in which English says them."""
VALUES: dict[Attribute, tuple[str, ...]] = {"size": SIZES, "fill": FILLS, "color": COLORS, "shape": SHAPES}
"""The words of each attribute."""
PLURALS: dict[str, str] = {shape: shape + "s" for shape in SHAPES} | {"cross": "crosses", "thing": "things"}


@dataclass(frozen=True, slots=True)
class Phrase:
    """A description of one thing; an attribute that is None is left open. `Phrase()` means "thing"."""

    size: Size | None = None
    fill: Fill | None = None
    color: Color | None = None
    shape: Shape | None = None

    def __str__(self) -> str:
        return " ".join([*self.adjectives, self.shape or "thing"])

    @property
    def adjectives(self) -> list[str]:
        return [word for word in (self.size, self.fill, self.color) if word]

    @property
    def plural(self) -> str:
        """Such as "large red stars"."""
        return " ".join([*self.adjectives, PLURALS[self.shape or "thing"]])

    @property
    def with_article(self) -> str:
        """Such as "a red star" or "an orange moon"."""
        text = str(self)
        return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"

    def matches(self, thing: Thing) -> bool:
        return (
            self.shape in (None, thing.shape)
            and self.color in (None, thing.color)
            and self.fill in (None, thing.fill)
            and self.size in (None, thing.size)
        )

    @property
    def said(self) -> int:
        """How many attributes the phrase names."""
        return sum(map(self.names, ATTRIBUTES))

    def names(self, attribute: Attribute) -> bool:
        """Whether the phrase says something about this attribute."""
        return getattr(self, attribute) is not None


def find(phrase: Phrase, scene: Scene) -> tuple[int, ...]:
    """Indices of the things that the phrase fits."""
    return tuple(index for index, thing in enumerate(scene.things) if phrase.matches(thing))


def full(thing: Thing) -> Phrase:
    """Everything that can be said about a thing."""
    return Phrase(thing.size, thing.fill, thing.color, thing.shape)


@lru_cache(maxsize=4096)
def shortenings(phrase: Phrase) -> tuple[Phrase, ...]:
    """All phrases that say part of what this one says (itself included, "thing" not), shortest first."""
    said = [name for name in ATTRIBUTES if phrase.names(name)]
    return tuple(
        Phrase(**{name: getattr(phrase, name) for name in chosen})
        for length in range(1, len(said) + 1)
        for chosen in combinations(said, length)
    )


def census(scene: Scene) -> Counter[Phrase]:
    """How many things each true phrase fits; a phrase that is missing fits none."""
    return Counter(phrase for thing in scene.things for phrase in shortenings(full(thing)))


def parse_phrase(text: str) -> Phrase | None:
    """The phrase behind "large striped red star", singular or plural, or None when it is not one."""
    singular = {plural: word for word, plural in PLURALS.items()}
    found: dict[str, str] = {}
    *adjectives, noun = text.split() or [""]
    noun = singular.get(noun, noun)
    if noun in SHAPES:
        found["shape"] = noun
    elif noun != "thing":
        return None
    ranks: list[int] = []
    for word in adjectives:
        for rank, name in enumerate(ATTRIBUTES[:-1]):
            if word in VALUES[name]:
                found[name] = word
                ranks.append(rank)
                break
        else:
            return None
    if ranks != sorted(set(ranks)):
        return None
    return Phrase(**found)  # type: ignore[arg-type]
