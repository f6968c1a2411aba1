"""Keys and values that stand before the positions that run, and how rows attend to them without copies of their own.

Knows tensors; knows nothing about where they come from (memory.py) or who attends (attention.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tools.engine.parts import joined, part, shared


@dataclass(frozen=True, eq=False)
class Known:
    """Keys and values of the positions before those that run, which the rows share.

    `of` says whose each row's are; None: all rows have those of the only stimulus. `real`: neither among the known
    positions nor behind them is one that is hidden.
    """

    keys: Float[Tensor, "stimulus group key width"]
    values: Float[Tensor, "stimulus group key width"]
    of: Int[Tensor, "row"] | None = None
    real: bool = False

    def joined(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """The rows' own keys and values behind those that are known."""
        rows = len(key)
        return (
            torch.cat([self._each(self.keys, rows), key], dim=2),
            torch.cat([self._each(self.values, rows), value], dim=2),
        )

    def attended(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Float[Tensor, "row 1 query key"],
        scaling: float,
    ) -> Float[Tensor, "row head query width"]:
        """What rows of the only stimulus take of the known values and of their own.

        The known keys are before all queries: the mask hides the same of them from each, none where they are `real`.
        """
        before, heads = self.keys.shape[2], query.shape[1]
        hidden = None if self.real else mask[0, 0, 0, :before]
        known = shared(query, self.keys[0], self.values[0], hidden, scaling)
        key, value = repeated(key, heads), repeated(value, heads)
        return joined(known, part(query, key, value, mask[..., before:], scaling, causal=self.real))

    def scores(self, query: Float[Tensor, "row head query width"]) -> Float[Tensor, "row head query key"]:
        """Products of queries with the known keys; where rows share them, in one product a group."""
        if self.of is not None:
            keys = repeated(self._each(self.keys, len(query)), query.shape[1])
            return query @ keys.transpose(2, 3)
        return self._shared(query, self.keys[0].transpose(1, 2))

    def mixed(self, pattern: Float[Tensor, "row head query key"]) -> Float[Tensor, "row head query width"]:
        """What the pattern takes of the known values."""
        if self.of is not None:
            return pattern @ repeated(self._each(self.values, len(pattern)), pattern.shape[1])
        return self._shared(pattern, self.values[0])

    def _shared(self, left: Tensor, right: Float[Tensor, "group inner outer"]) -> Tensor:
        rows, heads, queries, inner = left.shape
        together = left.transpose(0, 1).reshape(len(right), -1, inner) @ right
        return together.view(heads, rows, queries, right.shape[-1]).transpose(0, 1)

    def _each(self, what: Tensor, rows: int) -> Tensor:
        return what.expand(rows, *what.shape[1:]) if self.of is None else what[self.of[:rows]]


def repeated(
    grouped: Float[Tensor, "row group key width"], heads: int
) -> Float[Tensor, "row head key width"]:
    """What heads of one group share, for each of them."""
    return grouped.repeat_interleave(heads // grouped.shape[1], dim=1)
