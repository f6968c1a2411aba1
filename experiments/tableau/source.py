"""The world's pictures as a collection: what a labelling run may look at, ask about, or is judged on.

Knows splits, keys and how questions are dealt out to pictures. Gives pictures and words alone: the scene behind a key
is for the editor and for the scorer's judge (recall.py), never for planners. `ask` paints fresh scenes from the
split's own stream, far behind its pictures, so that no two splits ever share one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import count

import numpy as np
from PIL import Image

from experiments.tableau.asker import Asker
from experiments.tableau.balanced import Item, balanced
from experiments.tableau.data import SOURCES, scene
from experiments.tableau.keys import Key
from experiments.tableau.questions import KINDS, TEMPLATES, Kind, Question, answer
from experiments.tableau.render import render, to_image
from experiments.tableau.scene import Scene
from store.errors import UserError
from store.records import Split
from tools.stimuli import Stimulus

ASKED: tuple[Kind, ...] = (
    "compare",
    "relation_yn",
    "sign",
    "two_hop",
    "relation",
    "color",
    "fill",
    "shape",
    "size",
    "polling",
    "counting",
    "background",
)
"""Kinds of questions about pictures, those first that the fewest scenes allow; `context` needs no picture."""
BEYOND = 40
"""Scenes for `ask` with seed s begin at (s + 1) << BEYOND, and each kind has 2³² of them."""
OWN_CHANCE = 50
"""Seeds of balanced sets begin at stream << OWN_CHANCE, which keeps them apart from those of `check`."""
KEPT = 2048
"""Pictures that are kept once they are painted: 75 MB."""
SHOWN = 4
"""Pictures whose pixels enter the fingerprint, beside all scenes."""
_PLACE = re.compile(
    r"(?P<split>train|select|test)/(?:(?P<kind>\w+)-(?P<n>\d+)-(?P<seed>\d+)/)?(?P<number>\d+)"
)


class TableauSource:
    """A split of balanced scenes: the first `size` of them, all by default. Fulfils `tools.stimuli.ImageSource`."""

    name = "tableau"

    def __init__(self, split: Split, size: int | None = None) -> None:
        self.split: Split = split
        self.size = size if size is not None else SOURCES[split].size or 0

    def __len__(self) -> int:
        return self.size

    @property
    def kinds(self) -> tuple[str, ...]:
        """Question kinds that `ask` knows, in the language's own order."""
        return tuple(kind for kind in KINDS if kind in ASKED)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all scenes, of the first few pictures' pixels and of their questions."""
        content = hashlib.sha256()
        for number in range(self.size):
            content.update(repr(scene_of_split(self.split, number)).encode())
        for number in range(min(SHOWN, self.size)):
            content.update(self.asked(number).sha256.encode())
        return content.hexdigest()

    def picture(self, index: int, /) -> Stimulus:
        """Picture `index` without a question. Raises IndexError beyond the end."""
        return Stimulus(f"{self.split}/{self._checked(index)}", painted(scene_of_split(self.split, index)))

    def asked(self, index: int, /) -> Stimulus:
        """Picture `index` with its question; every dozen pictures share out the kinds of ASKED among themselves."""
        seen = scene_of_split(self.split, self._checked(index))
        question, wording = _dealt(self.split, index // len(ASKED))[index % len(ASKED)]
        key = str(Key(f"{self.split}/{index}").asked())
        return Stimulus(key, painted(seen), question.text(wording), answer(question, seen), question.kind)

    def ask(self, kind: str, n: int, seed: int, /) -> list[Stimulus]:
        """`n` questions of a kind, each before a fresh scene of its own, even over their answers.

        Raises UserError of kind "question" for a kind that is not in `kinds`.
        """
        known = _known(kind)
        items = _items(self.split, known, n, seed)
        bases = (f"{self.split}/{known}-{n}-{seed}/{number}" for number in range(n))
        return [
            Stimulus(str(Key(base).asked()), painted(_scene(item)), item.text, item.answer, known)
            for base, item in zip(bases, items, strict=True)
        ]

    def _checked(self, index: int) -> int:
        if not 0 <= index < self.size:
            raise IndexError(f"`{self.split}` has pictures 0–{self.size - 1}, not {index}")
        return index


@lru_cache(maxsize=2 * KEPT)
def scene_of_split(split: Split, number: int) -> Scene:
    """Scene `number` of a split, kept because drawing takes about as long as painting."""
    return scene(split, number)


@lru_cache(maxsize=KEPT)
def painted(seen: Scene) -> Image.Image:
    """The picture of a scene; repeated access is cheap, so it must not be drawn upon."""
    return to_image(render(seen))


def scene_at(base: str) -> Scene | None:
    """The scene where a key begins, or None when no picture of the world is called so."""
    found = _PLACE.fullmatch(base)
    if not found:
        return None
    split: Split = found["split"]  # type: ignore[assignment]  # the pattern allows no other word
    number = int(found["number"])
    if found["kind"] is None:
        return scene_of_split(split, number)
    if found["kind"] not in ASKED or number >= int(found["n"]):
        return None
    return _scene(_items(split, _known(found["kind"]), int(found["n"]), int(found["seed"]))[number])


def _known(kind: str) -> Kind:
    for known in ASKED:
        if kind == known:
            return known
    raise UserError(
        f"`{kind}` is not a kind of question about pictures",
        kind="question",
        hint=f"one of {', '.join(ASKED)}",
    )


def _scene(item: Item) -> Scene:
    assert item.scene is not None  # only `context` has none, and ASKED leaves it out
    return item.scene


@lru_cache(maxsize=64)
def _items(split: Split, kind: Kind, n: int, seed: int) -> Sequence[Item]:
    stream = SOURCES[split].stream
    first = ((seed + 1) << BEYOND) + ((KINDS.index(kind) + 1) << 32)
    fresh = (scene(split, number) for number in count(first))
    return balanced(kind, n, (stream << OWN_CHANCE) + seed, None if kind == "counting" else fresh)


@lru_cache(maxsize=256)
def _dealt(split: Split, block: int) -> tuple[tuple[Question, int], ...]:
    """One question, with its wording, for each of a dozen pictures: every kind once, where the scenes allow it."""
    size = len(ASKED)
    rng = np.random.default_rng([OWN_CHANCE, SOURCES[split].stream, block])
    askers = [Asker(scene_of_split(split, number), rng) for number in range(block * size, (block + 1) * size)]
    free = rng.permutation(size).tolist()
    dealt: dict[int, Question] = {}
    for kind in (*ASKED, *ASKED[-3:] * size):
        for place in free:
            if question := _drawn(askers[place], kind, rng):
                dealt[place] = question
                free.remove(place)
                break
    return tuple(
        (dealt[place], int(rng.integers(len(TEMPLATES[dealt[place].kind])))) for place in range(size)
    )


def _drawn(asker: Asker, kind: Kind, rng: np.random.Generator) -> Question | None:
    """A question of the kind, its answer drawn first; "nothing" is the answer only where no other can be."""
    choices = asker.choices(kind)
    words = [word for word in choices if word != "nothing"]
    if not words and (kind == "sign" or not choices):
        return None
    asked = choices[words[rng.integers(len(words))] if words else "nothing"]
    return asked[rng.integers(len(asked))]
