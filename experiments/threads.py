"""The threads of a labelling run: one for each component, so many at once, on one bench.

Knows what ends a component, what ends the run, and that what has begun is finished first: an answer that is on its way
is paid for. Knows nothing about which components there are, nor what becomes of their descriptions.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from langgraph.checkpoint.base import BaseCheckpointSaver

from agent.bench import Bench, Stopping
from agent.checkpoints import open_checkpoints
from agent.crash import crashed, ends_the_run, for_later
from agent.graph import run_thread
from agent.planner import Planner
from agent.record import Outcome
from experiments.allowance import Allowance, short_of
from experiments.described import described
from experiments.workplace import Workplace
from store.address import Address
from store.errors import MaieuticError
from store.records import Description
from tools.purse import Purse

CHECKPOINTS = "checkpoints.db"
MISTRUSTED = 3
"""Refusals in the place of any answer after which an endpoint is not asked about further components."""
Tell = Callable[[Description], None]


@dataclass
class Threads:
    """What they have in common. `tell` hears of each component that is done; `aside` are those that an endpoint refused
    and that are for another day, with what it said."""

    workplace: Workplace
    run: str
    planner: Planner
    allowance: Allowance
    purse: Purse
    tell: Tell
    aside: dict[str, Exception] = field(default_factory=dict)

    async def carry(self, components: Sequence[Address]) -> None:
        """Carries every component to its description, `allowance.jobs` at a time.

        What the run's purse can't pay for is not begun. What an endpoint refuses of one component is put `aside`,
        unless it refuses the first MISTRUSTED of them: then it would refuse all. What ends the run, a cancellation as
        well, lets what has begun end, and is raised then.
        """
        failures: list[Exception] = []
        gate = asyncio.Semaphore(self.allowance.jobs)
        done = 0
        with Bench() as bench:
            async with open_checkpoints(self._checkpoints()) as checkpoints:

                async def one(component: Address) -> None:
                    nonlocal done
                    async with gate:
                        if bench.stopping or short_of(self.purse):
                            return
                        try:
                            description = await self._described(component, bench, checkpoints)
                            done += 1
                            self.workplace.progress("components", done, len(components))
                            self.tell(description)
                        except Stopping:
                            return
                        except Exception as error:
                            if for_later(error) and (done or len(self.aside) + 1 < MISTRUSTED):
                                self.aside[str(component)] = error
                                return
                            failures.append(error)
                            bench.stopping = True

                async def all_() -> None:
                    await asyncio.gather(*map(one, components))

                await bench.carry(all_())
        if failures:
            raise _worst(failures)

    async def _described(
        self, component: Address, bench: Bench, checkpoints: BaseCheckpointSaver[str]
    ) -> Description:
        """Freezes what the component's thread comes to; a mistake of ours in it is what it comes to."""
        began, run, store = time.monotonic(), self.run, self.workplace.store
        context = self.workplace.context(self.allowance.budget(self.purse))

        def frozen(outcome: Outcome) -> Description:
            found = described(store, run, component, outcome, time.monotonic() - began)
            store.recorder.description(run, found)
            return found

        try:
            return frozen(
                await run_thread(
                    context,
                    self.planner,
                    bench,
                    run,
                    component,
                    checkpoints,
                    limits=self.allowance.limits,
                    sandbox=self.allowance.sandbox,
                )
            )
        except Exception as error:
            if isinstance(error, Stopping) or for_later(error) or ends_the_run(error):
                raise
            found = frozen(crashed(store, run, str(component), error))
            await checkpoints.adelete_thread(f"{run}/{component}")
            return found

    def _checkpoints(self) -> Path | None:
        """Beside the store where that is a file, else in memory."""
        place = Path(self.workplace.store.where)
        return place.with_name(f"{place.name}.{CHECKPOINTS}") if place.is_file() else None


def _worst(failures: Sequence[Exception]) -> Exception:
    """One of them, a bug of ours before anything else."""
    return next((error for error in failures if not isinstance(error, MaieuticError)), failures[0])
