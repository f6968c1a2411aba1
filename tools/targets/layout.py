"""Layouts: how a module's own tensor holds what a site shows as [row position width].

Some families compute queries, keys and values in one map, side by side; some lay the pictures of a batch one behind
another and sort their patches into windows. Knows tensors; knows nothing about which family does what.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Layout:
    """The site is these `columns` of the last axis. `places` says where, among its own row's, each position lies in a
    tensor [row·position width] whose rows follow one another (None: the tensor is [row position width])."""

    columns: slice = field(default_factory=lambda: slice(None))
    places: Int[Tensor, "position"] | None = None

    def seen(self, tensor: Float[Tensor, "..."]) -> Float[Tensor, "row position width"]:
        """The site's values in a module's tensor."""
        if self.places is None:
            return tensor[..., self.columns]
        return tensor[..., self.columns].unflatten(0, (-1, len(self.places)))[:, self.places]

    def put(
        self, tensor: Float[Tensor, "..."], changed: Float[Tensor, "row position width"]
    ) -> Float[Tensor, "..."]:
        """The module's tensor with the site's values in their place."""
        whole = tensor.clone()
        if self.places is None:
            whole[..., self.columns] = changed
        else:
            whole[..., self.columns].unflatten(0, (-1, len(self.places)))[:, self.places] = changed
        return whole
