"""Accuracy kept and probability lost when the answer, or the picture's last row, can't see sets of visual tokens.

Neo et al. 2024, table 2, in windows of layers scaled to the decoder's depth and in sliding ones; beside every set as
many random visual tokens. Knows items with questions (polls where no question has a known answer).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from experiments.reproduce.neo.ablation import answer_tokens, yes_probability
from experiments.reproduce.neo.prepared import Prepared
from tools.methods.token_ablation import sights
from tools.methods.token_knockout import Edges, Judge, Judged, by_word, knocked_out
from tools.methods.token_sets import Tokens, as_many
from tools.methods.windows import Window, scaled, sliding
from tools.polling_judge import NO, YES
from tools.scoring.intervals import bootstrap_mean, wilson
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from tools.engine.engine import Engine

EDGES = (
    "object → last",
    "object+1 → last",
    "object+2 → last",
    "rest → last",
    "random → last",
    "random+1 → last",
    "random+2 → last",
    "object+1 → last row",
    "rest → last row",
)
"""`rest` is all but `object+1`; `random+1` is as many random visual tokens as `object+1` has, wherever they lie."""
BESIDE = {
    "object → last": "random → last",
    "object+1 → last": "random+1 → last",
    "object+2 → last": "random+2 → last",
}


SLID = ("object+1 → last", "random+1 → last", "rest → last")
"""Edges that are blocked in sliding windows too."""


class Part(NamedTuple):
    """Edges by windows, item by item: right still, and what the right answer's probability loses."""

    edges: tuple[str, ...]
    windows: tuple[Window, ...]
    kept: Bool[np.ndarray, "edges window item"]
    loss: Float[np.ndarray, "edges window item"]

    def place(self, edges: str, window: str) -> tuple[int, int]:
        """Where both stand, by their names."""
        return self.edges.index(edges), [one.name for one in self.windows].index(window)

    def as_json(self, seed: int, right: bool) -> list[dict[str, Any]]:
        return [
            {
                "window": window.name,
                "layers": [window.first, window.last],
                "edges": {
                    name: _cell(self.kept[place, turn], self.loss[place, turn], seed, right)
                    for place, name in enumerate(self.edges)
                },
            }
            for turn, window in enumerate(self.windows)
        ]


@dataclass(frozen=True, eq=False)
class Blocking:
    """Of the items right before (all, where none was). `readout` says what was asked."""

    readout: str
    asked: int
    right: int
    windows: Part
    slid: Part

    def lost(self, edges: str, window: str) -> Float[np.ndarray, "item"]:
        """Probability lost in one of the paper's windows."""
        return np.asarray(self.windows.loss[self.windows.place(edges, window)])

    def still(self, edges: str, window: str) -> Bool[np.ndarray, "item"]:
        """Whether the answer stays right."""
        return np.asarray(self.windows.kept[self.windows.place(edges, window)])

    def as_json(self, seed: int) -> dict[str, Any]:
        return {
            "readout": self.readout,
            "asked": self.asked,
            "right": self.right,
            "windows": self.windows.as_json(seed, self.right > 0),
            "sliding": self.slid.as_json(seed, self.right > 0),
        }


def _cell(
    kept: Bool[np.ndarray, "item"], loss: Float[np.ndarray, "item"], seed: int, right: bool
) -> dict[str, Any]:
    return {
        "accuracy_kept": wilson(int(kept.sum()), len(kept)).as_json() if right else None,
        "probability_lost": bootstrap_mean(loss, seed=seed).as_json(),
    }


def blocking(engine: Engine, found: Prepared, seed: int) -> Blocking:
    """All edges in all windows, for items that are answered rightly; all items where none is."""
    readout, numbers, stimuli, judge = _asked(engine, found)
    seen = sights(engine, stimuli)
    before = judge(np.stack([one.logits for one in seen]), np.arange(len(stimuli)))
    chosen = np.flatnonzero(before.right) if before.right.sum() > 1 else np.arange(len(stimuli))
    items = [numbers[place] for place in chosen]
    depth = engine.adapter.extent().towers["language"].layers
    edges = _edges(found, items, seed)

    def part(some: Sequence[Edges], windows: Sequence[Window]) -> Part:
        after = knocked_out(
            engine,
            [stimuli[place] for place in chosen],
            [seen[place] for place in chosen],
            found.grid,
            some,
            windows,
            _of(judge, chosen),
        )
        names = tuple(one.name for one in some)
        return Part(names, tuple(windows), after.right, before.chance[chosen] - after.chance)

    slid = [one for one in edges if one.name in SLID]
    return Blocking(
        readout,
        len(stimuli),
        int(before.right.sum()),
        part(edges, scaled(depth)),
        part(slid, sliding(depth)),
    )


def _asked(engine: Engine, found: Prepared) -> tuple[str, list[int], list[Stimulus], Judge]:
    """Questions where at least two have an answer of one token, else polls."""
    own = [engine.adapter.token(item.asked.answer) if item.asked else None for item in found.items]
    numbers = [number for number, token in enumerate(own) if token is not None]
    if len(numbers) > 1:
        stimuli = [asked for number in numbers if (asked := found.items[number].asked) is not None]
        return "vqa", numbers, stimuli, by_word([token for token in own if token is not None])
    yes, no = (answer_tokens(engine, words) for words in (YES, NO))

    def polled(logits: Float[np.ndarray, "row vocabulary"], _: Int[np.ndarray, "row"]) -> Judged:
        sure = yes_probability(logits, yes, no)
        return Judged(sure > 0.5, sure)

    return "polling", list(range(len(found.items))), found.polling, polled


def _of(judge: Judge, chosen: Int[np.ndarray, "item"]) -> Judge:
    """The same for some of the stimuli, numbered anew."""
    return lambda logits, numbers: judge(logits, chosen[numbers])


def _edges(found: Prepared, items: list[int], seed: int) -> list[Edges]:
    sets = [found.sets[item] for item in items]
    random = np.random.default_rng([seed, len(items)])
    told: dict[str, list[Tokens]] = {
        "object": [one["object"] for one in sets],
        "object+1": [one["object+1"] for one in sets],
        "object+2": [one["object+2"] for one in sets],
        "rest": [~one["object+1"] for one in sets],
    }
    for ring in ("", "+1", "+2"):
        told[f"random{ring}"] = [as_many(one, random) for one in told[f"object{ring}"]]
    return [
        Edges(name, told[name.partition(" ")[0]], "last row" if name.endswith("row") else "answer")
        for name in EDGES
    ]
