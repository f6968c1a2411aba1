"""Visual tokens at their mean: what a target answers when some tokens of its picture say nothing of this picture.

Written where the tokens enter the decoder (`embed`), at the mean over a reference set that the caller states. Knows
positions and rows; knows nothing about why these tokens were chosen (token_sets.py). Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from store.errors import UserError
from tools.methods.token_sets import Tokens
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from torch import Tensor

    from tools.engine.engine import Engine
    from tools.engine.plan import Mean
    from tools.targets.adapter import Grid
    from tools.targets.batch import Batch

AT_ONCE = 16
"""Stimuli whose rows make one plan."""


class Sight(NamedTuple):
    """What one untouched run shows: the logits at the answer; where the picture's tokens stand, as plans count
    positions; and their norms as they enter the decoder."""

    logits: Float[np.ndarray, "vocabulary"]
    places: Int[np.ndarray, "token"]
    norms: Float[np.ndarray, "token"]


def sights(engine: Engine, stimuli: Sequence[Stimulus]) -> list[Sight]:
    """One for each stimulus."""
    from tools.targets.sites import Site

    embed = Site("embed")
    found = []
    for start in range(0, len(stimuli), AT_ONCE):
        outcome = engine.plain(stimuli[start : start + AT_ONCE], (embed,))
        logits = outcome.logits.float().cpu().numpy()
        for row, where in enumerate(visual_places(outcome.batch)):
            first = int(outcome.batch.first[row])
            stream = outcome.reads[embed][row].float().cpu().numpy()[where + first]
            found.append(Sight(logits[row], where, np.linalg.norm(stream, axis=1)))
    return found


def visual_places(batch: Batch) -> list[Int[np.ndarray, "token"]]:
    """For each row where the picture's tokens stand, counted from its first real token."""
    first = batch.first.cpu().numpy()
    visual = batch.visual.cpu().numpy()
    return [np.flatnonzero(row) - start for row, start in zip(visual, first, strict=True)]


def check_grid(sight: Sight, grid: Grid) -> None:
    """Raises UserError where the picture's tokens are no single grid."""
    if len(sight.places) != len(grid.boxes):
        raise UserError(
            f"a picture takes {len(sight.places)} tokens, not one for each of {grid.rows} × {grid.columns} places",
            kind="unsupported_family",
            hint="give a target that reads a picture as one grid, such as LLaVA 1.5",
        )


def reference(engine: Engine, stimuli: Sequence[Stimulus]) -> Mean:
    """The mean visual token over these pictures, as it enters the decoder."""
    from tools.engine.plan import Mean
    from tools.targets.sites import Site

    return Mean(engine.mean(Site("embed"), stimuli))


def positions(sight: Sight, tokens: Tokens) -> tuple[int, ...]:
    """Where a set of tokens stands in the prompt."""
    return tuple(int(place) for place in sight.places[tokens])


def ablated(
    engine: Engine,
    stimuli: Sequence[Stimulus],
    seen: Sequence[Sight],
    chosen: Sequence[Sequence[Tokens]],
    mean: Mean,
) -> Float[np.ndarray, "set stimulus vocabulary"]:
    """Logits at the answer with each set of tokens at the mean. `chosen[s][i]` is set `s` of stimulus `i`; where it is
    empty the untouched logits stand."""
    from tools.engine.plan import Intervention, Plan, Row
    from tools.targets.sites import Site

    embed = Site("embed")
    found = np.repeat(np.stack([one.logits for one in seen])[None], len(chosen), axis=0)
    for start in range(0, len(stimuli), AT_ONCE):
        block = list(stimuli[start : start + AT_ONCE])
        places, rows = [], []
        for number in range(len(block)):
            for turn, sets in enumerate(chosen):
                where = positions(seen[start + number], sets[start + number])
                if where:
                    places.append((turn, start + number))
                    rows.append(Row(number, (Intervention(embed, None, where, mean),)))
        if rows:
            logits: Tensor = engine.run(Plan(block, rows)).logits
            found[tuple(np.array(places).T)] = logits.float().cpu().numpy()
    return found
