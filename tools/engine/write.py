"""Writing: one row's intervention carried out on a site's tensor.

Knows values, positions and parts; knows nothing about hooks or when it is called. A pattern is handled with its queries
as positions: [query head key].
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from store.errors import UserError
from tools.engine.plan import Add, Apply, Intervention, Mean, Scale, Set, Swap, Zero
from tools.targets.adapter import Tap
from tools.targets.batch import CLASSES


@dataclass(frozen=True, eq=False)
class Edit:
    """An intervention bound to its row: at `positions`, whose classes are `classes`, into `part`.

    `taken` holds a swap's values, whole site. `keys` are a pattern's keys that are not padding.
    """

    what: Intervention
    tap: Tap
    positions: Int[Tensor, "chosen"]
    classes: Int[Tensor, "chosen"]
    keys: Bool[Tensor, "key"] | None = None
    taken: Float[Tensor, "chosen ..."] | None = None

    def apply(self, row: Float[Tensor, "position ..."]) -> None:
        """Writes into a row's tensor, in place."""
        chosen = row[self.positions]
        part = chosen[:, self.tap.part(self.what.index)]
        if self.keys is None:
            part[:] = self._value(part)
        else:
            part[..., self.keys] = self._value(part[..., self.keys])
        row[self.positions] = chosen

    def _value(self, now: Tensor) -> Tensor:
        part = self.tap.part(self.what.index)
        match self.what.value:
            case Zero():
                return torch.zeros_like(now)
            case Scale(factor):
                return now * factor
            case Set(tensor):
                return self._broadcast(tensor, now)
            case Add(tensor):
                return now + self._broadcast(tensor, now)
            case Apply(function):
                return self._broadcast(function(now), now)
            case Mean(means):
                return self._mean(means, now)[:, part]
            case Swap():
                if self.taken is None:
                    raise ValueError("a swap without the run that it takes from")
                taken = self.taken[:, part]
                return taken if self.keys is None else taken[..., self.keys]

    def _mean(self, means: Tensor, now: Tensor) -> Tensor:
        if self.keys is not None:
            raise UserError(
                f"`{self.what.site}` has no mean: its keys differ from row to row",
                kind="value",
                hint="scale the pattern, or give a mean of `attn.z`",
            )
        found = means.to(now.device, now.dtype)[self.classes]
        if found.isnan().any():
            missing = CLASSES[int(self.classes[found.isnan().any(-1)][0])]
            raise UserError(
                f"the reference set of the mean at `{self.what.site}` has no `{missing}` positions",
                kind="value",
                hint="take the mean over stimuli like those of the plan",
            )
        return found

    def _broadcast(self, tensor: Tensor, now: Tensor) -> Tensor:
        try:
            return tensor.to(now.device, now.dtype).broadcast_to(now.shape)
        except RuntimeError:
            raise UserError(
                f"a value of shape {tuple(tensor.shape)} does not fit `{self.what.site}`, "
                f"where {tuple(now.shape)} is written",
                kind="value",
                hint="give a number, a vector of the part's width, or one vector a position",
            ) from None
