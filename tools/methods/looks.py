"""Where the heads of a layer look: attention from the answer position, words or patches, by classes of tokens.

Language heads look from the answer position at `picture`, `question`, `start` (the prompt's own tokens) and `itself`;
vision heads from patches at the `class` token, the patch `itself`, `near` ones (its eight neighbors) and `far` ones.
Where the picture is read by cross-attention, heads of `question` and `cross` look from the question's words, those of
`recall` from the answer. Knows attention; knows nothing about whether it matters. Not a tool.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from store.address import Address, Tower
from tools.scoring.token_class import Found, found, value
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.engine.plan import Outcome
    from tools.targets.sites import Site

CLASSES: dict[Tower, tuple[str, ...]] = {
    "language": ("picture", "question", "start", "itself"),
    "vision": ("class", "itself", "near", "far"),
    "question": ("question", "start", "itself"),
    "cross": ("class", "picture"),
    "recall": ("question", "start"),
}
"""By tower the classes of tokens that a head may be said to read."""
AT_ONCE = 16
"""Stimuli whose patterns are in memory together."""
QUERIES = 8
"""Patches of a picture from which a vision head's attention is ranked."""


class Looks(NamedTuple):
    """All heads of a layer. `shares` of their attention go to each class, over every query of a stimulus; `attention`
    is that of single queries, of which each row is one, `places` the classes of their keys, `scene` their stimulus."""

    names: tuple[str, ...]
    shares: Float[np.ndarray, "head place stimulus"]
    attention: Float[np.ndarray, "head row token"]
    places: Bool[np.ndarray, "place row token"]
    shown: Bool[np.ndarray, "row token"]
    scene: Int[np.ndarray, "row"]

    def reads(self, head: int, name: str, *, draws: int, seed: int) -> Found:
        """AUPRC of a class against a head's attention, drawn by stimulus. Raises ValueError where it can't be told."""
        place = self.places[self.names.index(name)]
        return found(
            self.attention[head], place, self.shown, groups=self.scene.tolist(), draws=draws, seed=seed
        )

    def others_read(self, head: int, name: str) -> float | None:
        """The same for the layer's other heads, on average; None where there are none."""
        place = self.places[self.names.index(name)]
        rest = [one for number, one in enumerate(self.attention) if number != head]
        return float(np.mean([value(one, place, self.shown) for one in rest])) if rest else None


def looks(context: ToolContext, address: Address, stimuli: Sequence[Stimulus]) -> Looks:
    """All heads of the layer, since the others are the control."""
    chance = context.random("queries")
    parts: list[Looks] = []
    for start in range(0, len(stimuli), AT_ONCE):
        outcome = patterns(context, address, stimuli[start : start + AT_ONCE])
        if address.tower == "vision":
            part = _from_patches(context, address, outcome, chance)
        else:
            part = _from_words(context, address, outcome)
        parts.append(part._replace(scene=part.scene + start))
    width = max(part.attention.shape[-1] for part in parts)
    return Looks(
        parts[0].names,
        np.concatenate([part.shares for part in parts], axis=2),
        np.concatenate([_widened(part.attention, width) for part in parts], axis=1),
        np.concatenate([_widened(part.places, width) for part in parts], axis=1),
        np.concatenate([_widened(part.shown, width) for part in parts]),
        np.concatenate([part.scene for part in parts]),
    )


def patterns(context: ToolContext, address: Address, stimuli: Sequence[Stimulus]) -> Outcome:
    """An untouched run in which the pattern of the head's layer is read."""
    return context.engine.plain(list(stimuli), (pattern_of(address),))


def pattern_of(address: Address) -> Site:
    """Where the attention of a head's layer is read."""
    from tools.targets.sites import Site

    return Site("attn.pattern", address.tower, address.layer)


def _from_words(context: ToolContext, address: Address, outcome: Outcome) -> Looks:
    from tools.activations import asking
    from tools.targets.batch import SCOPES

    tap, batch = context.adapter.tap(pattern_of(address)), outcome.batch
    scene, query = np.nonzero(asking(batch, tap.space).cpu().numpy())
    weights = outcome.reads[pattern_of(address)].float().cpu().numpy()[scene, :, query]
    real = batch.where(tap.looks_at, "all").cpu().numpy()[scene]
    seen = {scope: np.zeros_like(real) for scope in ("visual", "question")}
    for scope in seen:
        if scope in SCOPES[tap.looks_at]:
            seen[scope] = batch.where(tap.looks_at, scope).cpu().numpy()[scene]
    own = np.zeros_like(real)
    if tap.looks_at == tap.space:
        own[np.arange(len(query)), query] = True
    words = {
        "picture": seen["visual"],
        "class": real & ~seen["visual"],
        "question": seen["question"] & ~own,
        "start": real & ~seen["visual"] & ~seen["question"] & ~own,
        "itself": own,
    }
    names = CLASSES[address.tower]
    places = np.stack([words[name] for name in names])
    each = np.einsum("nht,pnt->hpn", weights, places.astype(np.float64))
    shares = np.stack([each[:, :, scene == one].mean(-1) for one in range(len(batch))], axis=-1)
    return Looks(names, shares, weights.transpose(1, 0, 2), places, real, scene)


def _from_patches(
    context: ToolContext, address: Address, outcome: Outcome, chance: np.random.Generator
) -> Looks:
    """The class token, where there is one, is position 0."""
    lead, merged = outcome.batch.lead, outcome.batch.merged
    patches = outcome.reads[pattern_of(address)].float().cpu().numpy()[:, :, lead:]
    stimuli, heads, count, keys = patches.shape
    row, column = _lie(count, merged, context.adapter.boxes(*context.images.picture(0).image.size).columns)
    apart = np.maximum(np.abs(row[:, None] - row[None]), np.abs(column[:, None] - column[None]))
    names = CLASSES["vision"] if lead else CLASSES["vision"][1:]
    places = np.zeros((4, count, keys), dtype=bool)
    places[0, :, :lead] = True
    places[1:, :, lead:] = apart == 0, apart == 1, apart > 1
    places = places[-len(names) :]
    shares = np.einsum("shqk,pqk->hps", patches, places.astype(np.float64)) / count
    drawn = np.stack([chance.permutation(count)[:QUERIES] for _ in range(stimuli)])
    chosen = np.take_along_axis(patches, drawn[:, None, :, None], axis=2)
    scene = np.repeat(np.arange(stimuli), drawn.shape[1])
    return Looks(
        names,
        shares,
        chosen.transpose(1, 0, 2, 3).reshape(heads, -1, keys),
        places[:, drawn.ravel()],
        np.ones((len(scene), keys), dtype=bool),
        scene,
    )


def _lie(count: int, merged: int, columns: int) -> tuple[Int[np.ndarray, "patch"], Int[np.ndarray, "patch"]]:
    """Row and column of each patch, where `merged` in a square, side by side, make one of `columns` tokens a row."""
    side = math.isqrt(merged)
    token, within = np.divmod(np.arange(count), merged)
    row, column = np.divmod(token, columns)
    down, right = np.divmod(within, side)
    return row * side + down, column * side + right


def _widened(table: np.ndarray, width: int) -> np.ndarray:
    """Rows are padded on the left."""
    missing = width - table.shape[-1]
    return np.pad(table, [(0, 0)] * (table.ndim - 1) + [(missing, 0)])
