"""Which rows run together through a decoder: rows of about equally many last positions, of one stimulus where it has
enough of them, since these share what stands before.

Rows of a pack board at different layers, so that none runs through a layer before its own. Knows numbers of rows,
layers and positions; knows nothing about what is done to a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from tools.targets.decoder import FEWEST, Decoder

SHARING = 8
"""Rows from which on a stimulus has packs of its own."""
ALIKE, SHORT = 1.15, 8
"""Rows run together up to this ratio of their positions, or where none has more than so many."""


@dataclass(frozen=True, slots=True)
class Tail:
    """A row that enters the decoder at a layer, and runs over its last positions."""

    row: int
    stimulus: int
    layer: int
    last: int


@dataclass(frozen=True, slots=True)
class Pack:
    """Rows that run together, in the order in which they board; all over the `last` positions of the longest."""

    tails: tuple[Tail, ...]
    last: int

    @property
    def rows(self) -> list[int]:
        return [tail.row for tail in self.tails]

    @property
    def stimuli(self) -> list[int]:
        return [tail.stimulus for tail in self.tails]

    @property
    def layers(self) -> tuple[int, ...]:
        """Where rows board, ascending."""
        return tuple(sorted({tail.layer for tail in self.tails}))

    def flops(self, decoder: Decoder, width: int) -> int:
        """Floating-point operations of its rows' matrix products, in a batch of so many positions."""
        each = Counter(tail.layer for tail in self.tails)
        layers = sum(
            rows * decoder.flops(slice(layer, None), self.last, width) for layer, rows in each.items()
        )
        return layers + max(len(self.tails), FEWEST) * decoder.head_flops


def packed(tails: Sequence[Tail], width: int, rows_at_once: int) -> Iterator[Pack]:
    """All rows in packs of at most as many positions as `rows_at_once` rows of `width` have."""
    often = Counter(tail.stimulus for tail in tails if tail.last < width)
    groups: dict[int | None, list[Tail]] = {}
    for tail in tails:
        own = tail.stimulus if often[tail.stimulus] >= SHARING and tail.last < width else None
        groups.setdefault(own, []).append(tail)
    for group in groups.values():
        begun: list[Tail] = []
        for tail in sorted(group, key=lambda tail: (tail.last, tail.layer, tail.row)):
            if begun and (
                tail.last > _limit(begun[0].last) or (len(begun) + 1) * tail.last > rows_at_once * width
            ):
                yield together(begun)
                begun = []
            begun.append(tail)
        yield together(begun)


def together(tails: Sequence[Tail]) -> Pack:
    """One pack of rows; with at least FEWEST positions in the first product, whose roundings then don't hang on how
    many there are."""
    first = min(tail.layer for tail in tails)
    boarding = sum(tail.layer == first for tail in tails)
    last = max(ceil(FEWEST / boarding), *(tail.last for tail in tails))
    return Pack(tuple(sorted(tails, key=lambda tail: tail.layer)), last)


def _limit(last: int) -> int:
    return max(SHORT, int(ALIKE * last))
