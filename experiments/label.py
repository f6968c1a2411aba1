"""The labelling run: components in, descriptions with receipts out, scored blind; killed anywhere, it goes on.

Knows the order of work: index, threads, frozen words, the sealed test. Knows nothing about how a planner decides, how a
tool measures or how a score is made. Everything that is done stands in the store before the next thing begins, so
resuming is running again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.planner import Planner
from agent.record import outcome_of
from experiments.allowance import Allowance, short_of
from experiments.scoring.blind import score_frozen
from experiments.sites import by_site
from experiments.threads import Tell, Threads
from experiments.workplace import Workplace
from store.address import Address, Extent, parse, parse_set
from store.costs import Spent, spent
from store.errors import MaieuticError, UserError
from store.failures import room_told
from store.records import Description, Status
from store.views import RunEnd
from tools.engine.room import device_told

STATUSES: tuple[Status, ...] = ("verified", "unverified", "abstained", "failed")
DESCRIBABLE = ("mlp", "head")
LEAST_JUDGED = 30
"""Test pictures that a scorer's judge must see of a component, at least."""
SPENT = "the budget"
"""How a thread's reason to finish begins where its budget was that reason."""
Drive = Callable[[Coroutine[Any, Any, None]], None]
"""What runs a coroutine to its end; a notebook's own loop is busy running the caller."""


@dataclass(frozen=True)
class Labelled:
    """How a run stands: its id, how it ended, every description so far, as tested, and what language models cost.

    `told` says which budget of the run is spent, if one is; `pressed` are components that had to be concluded for want
    of one, `aside` those that an endpoint refused to speak of, with its words: they are left for the next life.
    """

    run: str
    status: RunEnd
    descriptions: tuple[Description, ...]
    spent: Spent = field(default_factory=Spent)
    told: str = ""
    pressed: tuple[str, ...] = ()
    aside: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The shape of the public contract."""
        return {
            "run": self.run,
            "status": self.status,
            "descriptions": [one.model_dump(mode="json") for one in self.descriptions],
            "summary": summary(self.descriptions),
            "sites": [site.as_json() for site in by_site(self.descriptions)],
            "cost": self.spent.as_json(),
            "aside": dict(self.aside),
        }


def summary(descriptions: Sequence[Description]) -> dict[str, int]:
    """Descriptions by status; nothing is left out."""
    return {name: sum(one.status == name for one in descriptions) for name in STATUSES}


def choose(components: str | Sequence[str], extent: Extent) -> list[Address]:
    """The neurons and heads that are named, each once, in order. Raises UserError for what can't be described."""
    names = [components] if isinstance(components, str) else components
    chosen = {address for name in names for address in parse_set(name, extent)}
    for address in sorted(chosen):
        if address.part not in DESCRIBABLE:
            raise UserError(
                f'"{address}" is neither a neuron nor a head',
                kind="address",
                hint="name some, such as `language.3.mlp[0:8]` or `vision.*.head.*`",
            )
    return sorted(chosen)


def begin(
    workplace: Workplace, components: Sequence[Address], planner: str, arguments: dict[str, Any]
) -> str:
    """Opens a run over these components and returns its id.

    Raises UserError where the scorer's judge may see so few pictures (`judged`) that a score would say nothing.
    """
    if 0 < (judged := arguments.get("judged", 0)) < LEAST_JUDGED:
        raise UserError(
            f"{judged} judged pictures are too few to say how well words fit",
            kind="judged",
            hint=f"give at least {LEAST_JUDGED}, or 0 for all",
        )
    workplace.register()
    recorder = workplace.store.recorder
    run = recorder.open_run("label", workplace.target.fingerprint, arguments, workplace.seed, planner)
    recorder.components(run, map(str, components))
    return run


def carry_on(
    workplace: Workplace,
    run: str,
    planner: Planner,
    allowance: Allowance,
    *,
    limit: int | None = None,
    tell: Tell = lambda _: None,
    drive: Drive = asyncio.run,
) -> Labelled:
    """Does what a run has left to do, at most `limit` components of it, and says where it stands then.

    A mistake of ours in one component is that component's end, not the run's: it is frozen as `failed`. An interruption
    or any other error leaves the run resumable and passes on.
    """
    store = workplace.store
    store.recorder.resume_run(run)
    purse = allowance.purse(store.queries.payments(run))
    waiting = [parse(one.address) for one in store.queries.components(run) if one.status is None]
    chosen = sorted(waiting)[:limit]
    threads = Threads(workplace, run, planner, allowance, purse, tell)
    try:
        with room_told(store.where), device_told():
            if chosen:
                workplace.prepare(chosen)
                drive(threads.carry(chosen))
            score_frozen(workplace, run)
        if threads.aside and len(threads.aside) == len(chosen):
            raise next(iter(threads.aside.values()))
    except KeyboardInterrupt:
        store.recorder.end_run(run, "interrupted")
        raise
    except MaieuticError:
        store.recorder.end_run(run, "partial")
        raise
    except Exception:
        store.recorder.end_run(run, "failed")
        raise
    pressed = _pressed(workplace, run)
    waits = any(one.status is None for one in store.queries.components(run))
    told = short_of(purse) if waits else ""
    status: RunEnd = "budget" if told or (pressed and not waits) else "partial" if waits else "done"
    store.recorder.end_run(run, status)
    found = tuple(store.queries.descriptions(run, test=True))
    return Labelled(
        run,
        status,
        found,
        spent(store.queries.payments(run)),
        told,
        pressed,
        {name: str(why) for name, why in threads.aside.items()},
    )


def _pressed(workplace: Workplace, run: str) -> tuple[str, ...]:
    """Components that had to be concluded for want of budget."""
    queries = workplace.store.queries
    outcomes = {one.address: outcome_of(queries.steps(run, one.address)) for one in queries.components(run)}
    return tuple(name for name, one in outcomes.items() if one and one.finish.startswith(SPENT))
