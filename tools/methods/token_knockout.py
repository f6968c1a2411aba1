"""Attention that is blocked between sets of tokens, in windows of layers: what the answer loses by it.

All heads at once, as Geva et al. 2023 and Neo et al. 2024. Knows positions, windows and rows; the edges are cut as
booleans by the engine, never added to a mask of numbers (where False would mean "allowed"). Not a tool.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from tools.methods.token_ablation import AT_ONCE, Sight, positions
from tools.methods.token_sets import Tokens
from tools.methods.windows import Window
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from tools.engine.engine import Engine
    from tools.engine.plan import Knockout
    from tools.targets.adapter import Grid

Reader = Literal["answer", "question", "last row"]
"""Whose attention is blocked: the last position, the words of the question, or the last row of the picture."""


class Edges(NamedTuple):
    """From which tokens of each stimulus to whom nothing passes."""

    name: str
    tokens: Sequence[Tokens]
    reader: Reader = "answer"


class Judged(NamedTuple):
    """Whether each row's answer is right, and how likely the right one is."""

    right: Bool[np.ndarray, "..."]
    chance: Float[np.ndarray, "..."]


Judge = Callable[[Float[np.ndarray, "row vocabulary"], Int[np.ndarray, "row"]], Judged]
"""Judges rows of logits, each of the stimulus with that number."""


def by_word(words: Sequence[int]) -> Judge:
    """Right is an answer whose own word leads all others."""
    own = np.asarray(words)

    def judge(logits: Float[np.ndarray, "row vocabulary"], numbers: Int[np.ndarray, "row"]) -> Judged:
        return Judged(logits.argmax(axis=1) == own[numbers], chances(logits, own[numbers]))

    return judge


def chances(
    logits: Float[np.ndarray, "row vocabulary"], words: Sequence[int] | Int[np.ndarray, "row"]
) -> Float[np.ndarray, "row"]:
    """The probability of each row's word."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    own = np.take_along_axis(shifted, np.asarray(words)[:, None], axis=1)[:, 0]
    return np.asarray(np.exp(own) / np.exp(shifted).sum(axis=1))


def last_row(grid: Grid) -> Tokens:
    """The tokens of the picture's lowest row."""
    return np.arange(grid.rows * grid.columns) >= (grid.rows - 1) * grid.columns


def knocked_out(
    engine: Engine,
    stimuli: Sequence[Stimulus],
    seen: Sequence[Sight],
    grid: Grid,
    edges: Sequence[Edges],
    windows: Sequence[Window],
    judge: Judge,
) -> Judged:
    """Answers [edges window stimulus] with each of the edges blocked in each window; the untouched answer where there
    is no edge."""
    from tools.engine.plan import Plan, Row

    plain = judge(np.stack([one.logits for one in seen]), np.arange(len(stimuli)))
    found = Judged(*(np.tile(one, (len(edges), len(windows), 1)) for one in plain))
    for start in range(0, len(stimuli), AT_ONCE):
        block = list(stimuli[start : start + AT_ONCE])
        places, rows = [], []
        for row in range(len(block)):
            for one, blocked in enumerate(edges):
                for turn, window in enumerate(windows):
                    cuts = _cuts(seen[start + row], blocked, start + row, grid, window)
                    if cuts:
                        places.append((one, turn, start + row))
                        rows.append(Row(row, knockouts=cuts))
        if rows:
            at = tuple(np.array(places).T)
            told = judge(engine.run(Plan(block, rows)).logits.float().cpu().numpy(), at[2])
            found.right[at], found.chance[at] = told
    return found


def _cuts(sight: Sight, blocked: Edges, item: int, grid: Grid, window: Window) -> tuple[Knockout, ...]:
    from tools.engine.plan import Knockout

    tokens = blocked.tokens[item]
    readers: tuple[int, ...] | Literal["answer", "question"]
    if blocked.reader == "last row":
        row = last_row(grid)
        tokens, readers = tokens & ~row, positions(sight, row)
    else:
        readers = blocked.reader
    keys = positions(sight, tokens)
    if not keys:
        return ()
    return tuple(Knockout(layer, None, readers, keys) for layer in window.layers)
