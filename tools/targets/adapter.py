"""What every model family must tell: where sites are, how stimuli become tensors, what can reach the logits.

Knows the questions; each family answers them in a module of its own. Knows nothing about interventions (engine/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from store.address import Address, Extent
from store.errors import UserError
from store.records import Scope
from tools.stimuli import Stimulus
from tools.targets.batch import Batch, Space
from tools.targets.families import family_of, part
from tools.targets.layout import Layout
from tools.targets.sites import Site
from tools.targets.target import Target

if TYPE_CHECKING:
    from tools.targets.decoder import Decoder

Side = Literal["input", "output", "shared input", "pattern"]
"""Where at the module the site is. A `shared input` is read by others too (the residual stream before a norm): it must
be changed in place. A `pattern` lives inside the module's attention."""


@dataclass(frozen=True, eq=False)
class Tap:
    """Where a site sits. Its tensor is [row position width], a pattern's [row head query key].

    `heads` says into how many equal slices the last axis falls; 0 where its parts are single numbers. A pattern's
    queries lie in `space`, its keys in `looks_at`; an `open` one passes a module of its own, whatever the
    implementation of attention. An input is the `argument` of this name, the first one where none is given.
    """

    site: Site
    module: nn.Module
    side: Side
    space: Space
    width: int
    heads: int = 0
    keys: Space | None = None
    open: bool = False
    layout: Layout | None = None
    argument: str = ""

    @property
    def looks_at(self) -> Space:
        """The space of a pattern's keys."""
        return self.keys or self.space

    @property
    def units(self) -> int:
        """How many parts can be named by an index."""
        return self.heads or self.width

    def part(self, index: int | None) -> slice:
        """The part's slice of the last axis (of the head axis in a pattern); all of it for None.

        Raises UserError of kind "site" for an index past the end.
        """
        if index is None:
            return slice(None)
        if not 0 <= index < self.units:
            kind = "heads" if self.heads else "units"
            raise UserError(
                f"`{self.site}` has no {index}: it has {self.units} {kind} (0–{self.units - 1})",
                kind="site",
                hint=f"stay below {self.units}",
            )
        size = 1 if self.side == "pattern" or not self.heads else self.width // self.heads
        return slice(index * size, (index + 1) * size)


@dataclass(frozen=True, eq=False)
class Halted:
    """A run that was halted at an entrance: the residual stream there, with which it can be taken up again."""

    entrance: Site
    stream: Float[Tensor, "row position width"]

    def rows(self, chosen: Sequence[int]) -> Halted:
        """The rows of these numbers, in this order; one may come more than once."""
        index = torch.tensor(list(chosen), dtype=torch.long, device=self.stream.device)
        return Halted(self.entrance, self.stream[index])


@dataclass(frozen=True, eq=False)
class Grid:
    """How a picture's tokens lie: `rows` × `columns`, row by row.

    `boxes` are left, top, right, bottom in pixels of the picture; crops reach past no edge.
    """

    rows: int
    columns: int
    boxes: Float[np.ndarray, "token 4"]


class Adapter(Protocol):
    """A target as the engine and the tools see it."""

    target: Target

    def extent(self) -> Extent:
        """Neurons and heads of every tower."""
        ...

    def sites(self) -> list[Site]:
        """Every site that can be read and written."""
        ...

    def batch(self, stimuli: Sequence[Stimulus], /) -> Batch:
        """Stimuli as tensors on the target's device; one without a question gets the plain picture prompt."""
        ...

    def tap(self, site: Site, /) -> Tap:
        """Where a site sits. Raises UserError of kind "site" for one that the target does not have."""
        ...

    def encoded(self, batch: Batch, /) -> Batch:
        """The same batch with the picture already carried through vision tower and connector, where the family
        allows it: a forward pass of it gives the same logits without running them."""
        ...

    def forward(self, batch: Batch, halted: Halted | None = None, /) -> Float[Tensor, "row vocabulary"]:
        """Logits at the answer position, as float32 (contrastive models: the picture's embedding, not normed).

        From the batch's inputs, or taken up where another run of the same rows was halted.
        """
        ...

    def entrances(self) -> Sequence[Site]:
        """Where a run can be halted and taken up again, in the order in which it passes them; none where that is not
        known to be exact. Each is a residual stream: one that enters a layer, or the one that leaves a tower."""
        ...

    def entrance(self, site: Site, /) -> Site | None:
        """The last entrance from which a run still passes the site; None where only one from the inputs does."""
        ...

    def halt(
        self, batch: Batch, at: Site, halted: Halted | None = None, /
    ) -> Float[Tensor, "row position width"]:
        """The stream at an entrance, in a run from the inputs or from an entrance before it; nothing later runs."""
        ...

    def decoder(self) -> Decoder | None:
        """The causal decoder that answers come from, whose layers can be run over a row's last positions alone; None
        where that is not known to be exact."""
        ...

    def flops(self, batch: Batch, start: Site | None = None, stop: Site | None = None, /) -> int:
        """Floating-point operations that one row's matrix products take between two entrances; None stands for the
        batch's inputs as `start`, for the logits as `stop`."""
        ...

    def output_row(self, address: Address, /) -> Float[Tensor, "... width"]:
        """What a component writes into the residual stream: a neuron's column of the last linear map [width], a
        head's slice of the output projection [head_width width]."""
        ...

    def reaches(self, what: Site | Address, scope: Scope | Literal["all"] = "all", /) -> str | None:
        """None where changing it at these positions can change the logits, else the reason in words."""
        ...

    def token(self, word: str, /) -> int | None:
        """The one token that says the word as an answer; None when it takes several or is not in the vocabulary."""
        ...

    def unembed(self, hidden: Float[Tensor, "... width"], /) -> Float[Tensor, "... vocabulary"]:
        """Final norm and unembedding of a residual stream."""
        ...

    def boxes(self, width: int, height: int, /) -> Grid:
        """Which pixels of a picture of this size each visual token covers."""
        ...


def adapter_for(target: Target) -> Adapter:
    """The adapter of the target's family. Raises UserError for a family that has none."""
    adapter: Adapter = part(family_of(target.family, target.name).adapter)(target)
    return adapter
