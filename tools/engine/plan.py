"""Plans: which sites are written with what, in which rows, and which are read.

Plain values, checked when they run. Knows the one language that every method speaks: `(site, index, positions) ←
value`, and attention edges that are blocked. Knows nothing about how it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from store.address import Tower
from tools.stimuli import Stimulus
from tools.targets.batch import Batch, Positions
from tools.targets.sites import Site


@dataclass(frozen=True, slots=True)
class Zero:
    """0."""


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """The mean over a reference set, of the class of tokens that each position belongs to: what `Engine.mean` gives.

    It is the mean of the whole site, also where one unit or head of it is meant.
    """

    means: Float[Tensor, "class width"]


@dataclass(frozen=True, slots=True)
class Swap:
    """What stands there in an untouched run of another of the plan's stimuli, position by position in order.

    Both rows must have equally many of the positions that are meant.
    """

    stimulus: int


@dataclass(frozen=True, slots=True, eq=False)
class Set:
    """A tensor that broadcasts to [position part]: `part` is the whole site's width, 1 for a unit, a head's width.

    In a pattern: to [position head key], over the row's own keys.
    """

    tensor: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Add:
    """What stands there plus a tensor that broadcasts as in `Set`."""

    tensor: Tensor


@dataclass(frozen=True, slots=True)
class Scale:
    """What stands there times a factor."""

    factor: float


@dataclass(frozen=True, slots=True, eq=False)
class Apply:
    """What a function makes of what stands there: from [position part] to a tensor that broadcasts to the same.

    In a pattern: from [position head key], over the row's own keys.
    """

    function: Callable[[Tensor], Tensor]


Value = Zero | Mean | Swap | Set | Add | Scale | Apply


@dataclass(frozen=True, slots=True)
class Intervention:
    """`(site, index, positions) ← value`. `index` is a unit or head, None for the whole site.

    Positions of a pattern are those of the queries. Several at one site apply in their order.
    """

    site: Site
    index: int | None
    positions: Positions
    value: Value


@dataclass(frozen=True, slots=True)
class Knockout:
    """Attention edges of one layer that are blocked: from each of the queries to each of the keys.

    `head` None means every head. A query that has no other key attends to nothing.
    """

    layer: int
    head: int | None
    queries: Positions
    keys: Positions
    tower: Tower = "language"


@dataclass(frozen=True, slots=True)
class Row:
    """One run of one of the plan's stimuli."""

    stimulus: int
    interventions: tuple[Intervention, ...] = ()
    knockouts: tuple[Knockout, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows over stimuli, and the sites that are read in every row, after anything is written there."""

    stimuli: Sequence[Stimulus]
    rows: Sequence[Row]
    reads: tuple[Site, ...] = ()


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a plan, row by row. `batch` says which positions are which, without pictures; `forwards` counts rows
    that ran, those included from which values were taken."""

    logits: Float[Tensor, "row vocabulary"]
    reads: dict[Site, Tensor]
    batch: Batch
    forwards: int
