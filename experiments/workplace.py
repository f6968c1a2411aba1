"""A workplace: a target in its world with a store, everything that a run works with, put together once.

Knows which part comes from where and where caches lie; knows nothing about runs. What takes long (the index) is made
when it is first needed, and found again afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from experiments.registry import open_target
from experiments.remembered import Remembered
from experiments.worlds import World, open_world
from store.address import Address, Extent
from store.database import Store
from tools.activations import ActivationSource, ModelActivations
from tools.budget import Budget
from tools.context import Memory, ToolContext
from tools.engine.engine import Engine
from tools.index import ExemplarIndex, LaterIndex, build_index, index_folder
from tools.prepared import Prepared
from tools.targets.adapter import Adapter, adapter_for
from tools.targets.target import Target

if TYPE_CHECKING:
    from store.recorder import Turn

Progress = Callable[[str, int, int], None]


def silent(what: str, done: int, total: int) -> None:
    """Progress that nobody wants to see."""


def cache_folder() -> Path:
    """Where indexes and other things lie that can be made again: MAIEUTIC_CACHE, else the user's cache folder."""
    named = os.environ.get("MAIEUTIC_CACHE")
    return Path(named).expanduser() if named else user_cache_path("maieutic")


@dataclass
class Workplace:
    """`activations` remembers what was prepared for a run's components; `source` may stand in for the model's own."""

    store: Store
    target: Target
    world: World
    seed: int = 0
    progress: Progress = silent
    cache: Path = field(default_factory=cache_folder)
    source: ActivationSource | None = None
    memory: Memory = field(default_factory=Memory)

    @cached_property
    def adapter(self) -> Adapter:
        return adapter_for(self.target)

    @cached_property
    def extent(self) -> Extent:
        return self.adapter.extent()

    @cached_property
    def engine(self) -> Engine:
        return Engine(self.target, adapter=self.adapter)

    @cached_property
    def activations(self) -> Prepared:
        return Prepared(
            self.source or ModelActivations(self.target, self.adapter),
            self.cache / "activations" / self.target.fingerprint[:16],
        )

    @cached_property
    def describer(self) -> Remembered:
        return Remembered(self.world.describer)

    @cached_property
    def index(self) -> ExemplarIndex:
        """Built when it is missing: one pass over the planner's pictures."""
        return build_index(
            self.activations.source,
            self.extent,
            self.world.train,
            index_folder(self.cache, self.target.fingerprint, self.world.train),
            self.progress,
            fingerprint=self.target.fingerprint,
        )

    def prepare(self, components: Sequence[Address]) -> None:
        """Measures these components on all three splits in one pass each; nothing in a run reads them twice."""
        for images in (self.world.train, self.world.select, self.world.test):
            stimuli = [images.asked(number) for number in range(len(images))]
            self.activations.prepare(f"activations on {images.split}", components, stimuli, self.progress)

    def prepare_test(self, components: Sequence[Address]) -> None:
        """The same for what the blind test needs of components that an earlier process prepared."""
        for images in (self.world.select, self.world.test):
            stimuli = [images.asked(number) for number in range(len(images))]
            missing = [one for one in components if not self.activations.holds(one, stimuli)]
            if missing:
                self.activations.prepare(f"activations on {images.split}", missing, stimuli, self.progress)

    def register(self) -> None:
        """Makes target and collections known to the store."""
        recorder = self.store.recorder
        about = {str(tower): vars_of(layers) for tower, layers in self.extent.towers.items()}
        recorder.target(self.target.name, self.target.fingerprint, self.target.family, about)
        for images in (self.world.train, self.world.select, self.world.test):
            recorder.dataset(images.name, images.split, images.fingerprint, len(images))

    def context(self, budget: Budget, turn: Turn | None = None, *, index: bool = True) -> ToolContext:
        """What tools work with, under a budget of its own; without `index`, one is made only if somebody asks it."""
        return ToolContext(
            target=self.target,
            adapter=self.adapter,
            engine=self.engine,
            activations=self.activations,
            images=self.world.train,
            select=self.world.select,
            judge=self.world.judge,
            describer=self.describer,
            editor=self.world.editor,
            index=self.index if index else LaterIndex(lambda: self.index),
            store=self.store,
            budget=budget,
            seed=self.seed,
            turn=turn,
            memory=self.memory,
        )


def vars_of(layers: object) -> dict[str, int]:
    """A tower's layers, neurons and heads."""
    return {name: int(getattr(layers, name)) for name in ("layers", "neurons", "heads")}


def open_workplace(
    store: Store,
    target: str,
    *,
    images: str | None = None,
    judge: str | None = None,
    device: str = "auto",
    dtype: str = "float32",
    seed: int = 0,
    progress: Progress = silent,
) -> Workplace:
    """Opens the target and its world. Raises UserError where one of them is not to be had."""
    opened = open_target(target, device, dtype=dtype, seed=seed)
    return Workplace(store, opened, open_world(images, opened, judge, seed), seed, progress)
