"""Whether a thing's tokens point to its word, by layer, beside tokens of the ground, other words and an untrained copy.

Neo et al. 2024, section 4: the best layer of each picture, which they report as 23.7 % of LLaVA 1.5's object tokens at
layer 25.7 of 33. The best of several layers is high by chance, so that other things' words take the same maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from experiments.reproduce.neo.prepared import Prepared
from store.values import Estimate
from tools.methods.token_lens import Best, Shares, best, labels_of, read, shares, sites_of
from tools.scoring.intervals import bootstrap_mean

if TYPE_CHECKING:
    from tools.engine.engine import Engine

WHERE = ("thing", "ground", "question")
THIRDS = ("first", "middle", "last")


@dataclass(frozen=True, eq=False)
class Word:
    """One kind of word (a thing's class, its color): shares by item and site, and each item's best site."""

    thing: Shares
    ground: Shares
    best: Best
    best_ground: Float[np.ndarray, "item"]

    @property
    def deep(self) -> Float[np.ndarray, "item"]:
        """Relative depth of the best site, of items with a token that ever points to the word."""
        return self.best.depth[np.isfinite(self.best.depth)]


@dataclass(frozen=True, eq=False)
class Lens:
    """By kind of word, and the entropy in nats by item, site and where. The first kind is the thing's class."""

    sites: tuple[str, ...]
    words: dict[str, Word]
    entropy: Float[np.ndarray, "item site where"]

    @property
    def first(self) -> Word:
        return next(iter(self.words.values()))

    def change(self, third: str, where: str) -> Float[np.ndarray, "item"]:
        """By how many nats the entropy changes over a third of the layers, item by item."""
        ends = np.rint(np.linspace(0, len(self.sites) - 1, len(THIRDS) + 1)).astype(int)
        place = THIRDS.index(third)
        told = self.entropy[:, :, WHERE.index(where)]
        return np.asarray(told[:, ends[place + 1]] - told[:, ends[place]])

    def as_json(self, seed: int) -> dict[str, Any]:
        return {
            "sites": list(self.sites),
            "words": {name: _word(word, seed) for name, word in self.words.items()},
            "entropy": {
                where: {
                    "by_site": [_mean(self.entropy[:, site, place], seed) for site in range(len(self.sites))],
                    "change_over_thirds": {third: _mean(self.change(third, where), seed) for third in THIRDS},
                }
                for place, where in enumerate(WHERE)
            },
        }


def lens(engine: Engine, found: Prepared, seed: int) -> Lens:
    """The lens on the poll's picture; the words after the picture can't change what its tokens say."""
    reads = read(engine, found.polling, found.things, found.ground)
    thing, ground = [one.thing for one in reads], [one.beside for one in reads]
    words = {}
    for name in found.items[0].words:
        labels = [labels_of(engine, item.words[name]) for item in found.items]
        words[name] = Word(
            shares(thing, labels),
            shares(ground, labels),
            best(thing, labels, seed),
            shares(ground, labels).max(axis=1),
        )
    return Lens(tuple(map(str, sites_of(engine))), words, np.stack([one.entropy for one in reads]))


def _word(word: Word, seed: int) -> dict[str, Any]:
    sure = np.isfinite(word.best.chance)
    return {
        "by_site": [
            {
                "thing": bootstrap_mean(word.thing[:, site], seed=seed).as_json(),
                "ground": bootstrap_mean(word.ground[:, site], seed=seed).as_json(),
            }
            for site in range(word.thing.shape[1])
        ],
        "best": {
            "share": bootstrap_mean(word.best.share, seed=seed).as_json(),
            "ground": bootstrap_mean(word.best_ground, seed=seed).as_json(),
            "other_words": _mean(word.best.chance[sure], seed),
            "beyond_other_words": _mean((word.best.share - word.best.chance)[sure], seed),
            "depth": _mean(word.deep, seed),
        },
    }


def _mean(values: Float[np.ndarray, "value"] | Sequence[float], seed: int) -> dict[str, Any] | None:
    """None below two values."""
    told = np.asarray(values, dtype=np.float64)
    told = told[np.isfinite(told)]
    found: Estimate | None = bootstrap_mean(told, seed=seed) if len(told) > 1 else None
    return found.as_json() if found else None
