"""Which function units there are: kinds in even shares, concepts and addresses by a seed.

A concept is drawn so that it could be found: its unit answers in some pictures and not in most, and no part of what it
stands for says almost the same as the whole. Knows scenes and units; knows nothing about planners or targets.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import lru_cache
from itertools import islice

import numpy as np
from jaxtyping import Float

from experiments.bench.kinds import COUNTED, KINDS, SPEECHLESS, FunctionUnit, Kind
from experiments.bench.responses import lit
from experiments.tableau.data import scenes
from experiments.tableau.phrases import parse_phrase
from experiments.tableau.region import holding
from experiments.tableau.scene import BACKGROUNDS, COLORS, FILLS, SHAPES, SIZES, Scene
from store.address import Address, Extent
from tools.scoring.concept import phrases, read
from tools.scoring.narrowing import PLACES

RATE = (0.03, 0.65)
"""Share of pictures that a unit answers to: least and most."""
APART = 0.85
"""Correlation of a unit with one phrase of its concept from which on the phrase would say it all."""
LOOKED_AT = 600
"""Scenes over which both are counted: a world that no run sees."""
PEAKS = (1.0, 4.0)
WEAKER = (0.4, 0.7)
"""How strongly a two-faced unit answers to its second concept."""
BOUND = 0.2
"""Share of single concepts that bind two words to one thing ("red star")."""
PLACED = 0.5
"""Share of exceptions that are a quarter of the picture; the others are a look."""
TRIES = 200
"""Draws after which a concept may come again: some kinds have few."""


def draw_units(extent: Extent, n: int, seed: int, taken: Container[Address] = ()) -> list[FunctionUnit]:
    """`n` function units, as many of each kind, at neurons of the extent that are not taken, in a shuffled order.

    The same seed gives the same units. Every kind is there where `n` is at least len(KINDS).
    """
    chance = np.random.default_rng([seed, 4711])
    kinds = [kind for kind, count in shared_out(n).items() for _ in range(count)]
    places = islice(_addresses(extent, chance, taken), n)
    said: set[tuple[str, str]] = set()
    units = []
    for kind, address in zip(chance.permutation(np.array(kinds)).tolist(), places, strict=True):
        unit = _findable(kind, address, chance, said)
        said.add((unit.concept, unit.exception))
        units.append(unit)
    return units


def shared_out(n: int) -> dict[Kind, int]:
    """How many of `n` units each kind gets: as many as the others, and the first kinds one more where some are left."""
    each, more = divmod(n, len(KINDS))
    return {kind: each + (place < more) for place, kind in enumerate(KINDS)}


def findable(unit: FunctionUnit) -> bool:
    """Whether the unit divides pictures, and no phrase of its concept does so almost as well as the whole."""
    if unit.kind in SPEECHLESS:
        return True
    whole = np.array([lit(unit, seen).strength for seen in _scenes()])
    if not RATE[0] <= (whole > 0).mean() <= RATE[1]:
        return False
    if unit.kind == "single":
        return True
    return all(np.corrcoef(whole, _column(part))[0, 1] < APART for part in phrases(bare(unit.concept)))


def bare(concept: str) -> str:
    """The concept without its count."""
    return concept.removeprefix(COUNTED)


def _findable(
    kind: Kind, address: Address, chance: np.random.Generator, said: Container[tuple[str, str]]
) -> FunctionUnit:
    """A unit that could be found, and that stands for nothing that another does while there is something else."""
    tries = 0
    while True:
        tries += 1
        unit = _drawn(kind, address, chance)
        new = (unit.concept, unit.exception) not in said or kind in SPEECHLESS or tries > TRIES
        if new and findable(unit):
            return unit


def _drawn(kind: Kind, address: Address, chance: np.random.Generator) -> FunctionUnit:
    concept = _concept(kind, chance)
    return FunctionUnit(
        address,
        kind,
        concept,
        peak=float(np.exp(chance.uniform(*np.log(PEAKS)))),
        seed=int(chance.integers(1 << 31)),
        exception=_exception(concept, chance) if kind == "exception" else "",
        weaker=round(float(chance.uniform(*WEAKER)), 2) if kind == "two_faced" else 1.0,
    )


def _concept(kind: Kind, chance: np.random.Generator) -> str:
    if kind in SPEECHLESS:
        return ""
    if kind == "single" and chance.random() < BOUND:
        return f"{chance.choice(COLORS)} {chance.choice(SHAPES)}"
    first, second = sorted((_word(chance), _word(chance)))
    match kind:
        case "single":
            return first
        case "and":
            return f"{first} & {second}"
        case "or":
            return f"{first} | {second}"
        case "and_not":
            return " & !".join(chance.permutation(np.array([first, second])).tolist())
        case "gated":
            return f"{_of_things(chance)} & {chance.choice(BACKGROUNDS)} background"
        case "two_faced":
            return " | ".join(chance.permutation(np.array([first, second])).tolist())
        case "xor":
            return f"({first} & !{second}) | ({second} & !{first})"
        case "count":
            named = parse_phrase(_sized(chance))
            assert named is not None
            return f"{COUNTED}{named.plural}"
    return _of_things(chance)


def _exception(concept: str, chance: np.random.Generator) -> str:
    """A quarter of the picture, or a fill that some of the things have which the concept names.

    Sizes are no exceptions: of two values, one is said by naming the other.
    """
    quarter = chance.random() < PLACED or concept.split()[0] in FILLS
    return str(chance.choice(PLACES)) if quarter else f"{chance.choice(FILLS)} thing"


def _word(chance: np.random.Generator) -> str:
    """A color, a shape, a fill or a background, as a phrase; colors and shapes, of which there are more, more often."""
    ground = chance.random() < len(BACKGROUNDS) / (len(_THINGS) + len(BACKGROUNDS))
    return f"{chance.choice(BACKGROUNDS)} background" if ground else _of_things(chance)


def _of_things(chance: np.random.Generator) -> str:
    return str(chance.choice(_THINGS))


def _sized(chance: np.random.Generator) -> str:
    """What is counted: of sizes and fills there are often two, and of a color among them sometimes."""
    sizes = [f"{size} {fill} thing" for size in SIZES for fill in FILLS]
    return str(chance.choice([*_THINGS, *(f"{size} thing" for size in SIZES), *sizes]))


_THINGS = (*(f"{color} thing" for color in COLORS), *SHAPES, *(f"{fill} thing" for fill in FILLS))
"""Phrases of one word about things."""


def _addresses(extent: Extent, chance: np.random.Generator, taken: Container[Address]) -> Iterator[Address]:
    """Neurons of every layer, each once."""
    every = [one for one in extent.all() if one.part == "mlp" and one not in taken]
    return (every[i] for i in chance.permutation(len(every)))


@lru_cache(maxsize=512)
def _column(phrase: str) -> Float[np.ndarray, "scene"]:
    """Presence of a phrase in every scene that is looked at."""
    return np.array([holding(read(phrase), seen).strength for seen in _scenes()])


@lru_cache(maxsize=1)
def _scenes() -> list[Scene]:
    return list(scenes("check", LOOKED_AT))
