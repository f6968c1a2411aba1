"""Which function units there are: kinds in fixed shares, concepts and addresses by a seed.

A concept is drawn so that it could be found: it holds in some pictures and not in nearly all, and no part of a
combination says almost the same as the whole. Knows scenes and words; knows nothing about planners or targets.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import lru_cache
from itertools import islice

import numpy as np
from jaxtyping import Float

from experiments.bench.function_units import KINDS, FunctionUnit, Kind
from experiments.tableau.concepts import holds, read_concept
from experiments.tableau.data import scenes
from experiments.tableau.scene import BACKGROUNDS, COLORS, FILLS, SHAPES, Scene
from store.address import Address, Extent
from tools.scoring.concept import concept_values, phrases

SHARES: dict[Kind, int] = {"single": 10, "and": 6, "or": 6, "noise": 4, "dead": 4}
"""Units of each kind among 30."""
RATE = (0.02, 0.75)
"""Share of pictures in which a concept holds: least and most."""
APART = 0.85
"""Correlation of a combination with one of its parts from which on the part would say it all."""
LOOKED_AT = 600
"""Scenes over which both are counted: a world that no run sees."""
PEAKS = (1.0, 4.0)
BOUND = 0.2
"""Share of single concepts that bind two words to one thing ("red star")."""


def draw_units(extent: Extent, n: int, seed: int, taken: Container[Address] = ()) -> list[FunctionUnit]:
    """`n` function units in the shares of SHARES, at neurons of the extent that are not taken, in a shuffled order.

    The same seed gives the same units. Every kind is there where `n` is at least 5.
    """
    chance = np.random.default_rng([seed, 4711])
    kinds = [kind for kind, count in shared_out(n).items() for _ in range(count)]
    places = islice(_addresses(extent, chance, taken), n)
    said: set[str] = set()
    units = []
    for kind, address in zip(chance.permutation(np.array(kinds)).tolist(), places, strict=True):
        concept = _concept(kind, chance, said)
        said.add(concept)
        peak = float(np.exp(chance.uniform(*np.log(PEAKS))))
        units.append(FunctionUnit(address, kind, concept, peak, int(chance.integers(1 << 31))))
    return units


def shared_out(n: int) -> dict[Kind, int]:
    """How many of `n` units each kind gets: proportional, every kind at least once while there are enough."""
    whole = sum(SHARES.values())
    counts = {kind: max(1, n * SHARES[kind] // whole) for kind in KINDS}
    order = sorted(KINDS, key=lambda kind: -(n * SHARES[kind] % whole))
    for kind in order:
        counts[kind] += sum(counts.values()) < n
    while sum(counts.values()) != n:
        kind = max(counts, key=lambda kind: counts[kind])
        counts[kind] += 1 if sum(counts.values()) < n else -1
    return counts


def _addresses(extent: Extent, chance: np.random.Generator, taken: Container[Address]) -> Iterator[Address]:
    """Neurons of every layer, each once."""
    every = [one for one in extent.all() if one.part == "mlp" and one not in taken]
    return (every[i] for i in chance.permutation(len(every)))


def _concept(kind: Kind, chance: np.random.Generator, said: Container[str]) -> str:
    if kind in ("noise", "dead"):
        return ""
    while True:
        if kind == "single":
            concept = _single(chance)
        else:
            first, second = sorted((_word(chance), _word(chance)))
            concept = f"{first} {'&' if kind == 'and' else '|'} {second}"
        if concept not in said and findable(concept):
            return concept


def _single(chance: np.random.Generator) -> str:
    if chance.random() < BOUND:
        return f"{chance.choice(COLORS)} {chance.choice(SHAPES)}"
    return _word(chance)


def _word(chance: np.random.Generator) -> str:
    """A color, a shape, a fill or a background, as a phrase; colors and shapes, of which there are more, more often."""
    words = [
        *(f"{color} thing" for color in COLORS),
        *SHAPES,
        *(f"{fill} thing" for fill in FILLS),
        *(f"{background} background" for background in BACKGROUNDS),
    ]
    return str(chance.choice(words))


def findable(concept: str) -> bool:
    """Whether it divides pictures, and no part of it does so almost as well."""
    whole = concept_values(concept, _column)
    if not RATE[0] <= whole.mean() <= RATE[1]:
        return False
    parts = phrases(concept)
    return len(parts) == 1 or all(np.corrcoef(whole, _column(part))[0, 1] < APART for part in parts)


@lru_cache(maxsize=256)
def _column(phrase: str) -> Float[np.ndarray, "scene"]:
    concept = read_concept(phrase)
    return np.array([holds(concept, seen) for seen in _scenes()], dtype=np.float64)


@lru_cache(maxsize=1)
def _scenes() -> list[Scene]:
    return list(scenes("check", LOOKED_AT))
