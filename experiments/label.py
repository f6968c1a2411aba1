"""The labelling run: components in, descriptions with receipts out, scored blind; killed anywhere, it goes on.

Knows the order of work: index, threads, frozen words, the sealed test. Knows nothing about how a planner decides, how a
tool measures or how a score is made. Everything that is done stands in the store before the next thing begins, so
resuming is running again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.bench import Bench
from agent.checkpoints import open_checkpoints
from agent.crash import CRASH, crashed, ends_the_run, for_later
from agent.decision import Conclusion, Reply
from agent.graph import run_thread
from agent.planner import Planner
from agent.record import Outcome, outcome_of
from experiments.allowance import Allowance, short_of, spent_by
from experiments.scoring.blind import score_frozen
from experiments.sites import by_site
from experiments.workplace import Workplace
from store.address import Address, Extent, parse, parse_set
from store.costs import Spent, spent
from store.errors import MaieuticError, UserError
from store.failures import room_told
from store.records import Description, Status
from store.views import RunEnd
from tools.engine.room import device_told
from tools.purse import Purse

STATUSES: tuple[Status, ...] = ("verified", "unverified", "abstained", "failed")
CHECKPOINTS = "checkpoints.db"
DESCRIBABLE = ("mlp", "head")
LEAST_JUDGED = 30
"""Test pictures that a scorer's judge must see of a component, at least."""
MISTRUSTED = 3
"""Refusals in the place of any answer after which an endpoint is not asked about further components."""
SPENT = "the budget"
"""How a thread's reason to finish begins where its budget was that reason."""
Tell = Callable[[Description], None]
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
    purse = allowance.purse(spent_by(workplace, run))
    waiting = [parse(one.address) for one in store.queries.components(run) if one.status is None]
    chosen = sorted(waiting)[:limit]
    aside: dict[str, Exception] = {}
    try:
        with room_told(store.where), device_told():
            if chosen:
                workplace.prepare(chosen)
                drive(_threads(workplace, run, planner, allowance, purse, chosen, tell, aside))
            score_frozen(workplace, run)
        if aside and len(aside) == len(chosen):
            raise next(iter(aside.values()))
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
        spent_by(workplace, run),
        told,
        pressed,
        {name: str(why) for name, why in aside.items()},
    )


def _pressed(workplace: Workplace, run: str) -> tuple[str, ...]:
    """Components that had to be concluded for want of budget."""
    queries = workplace.store.queries
    outcomes = {one.address: outcome_of(queries.steps(run, one.address)) for one in queries.components(run)}
    return tuple(name for name, one in outcomes.items() if one and one.finish.startswith(SPENT))


async def _threads(
    workplace: Workplace,
    run: str,
    planner: Planner,
    allowance: Allowance,
    purse: Purse,
    components: Sequence[Address],
    tell: Tell,
    aside: dict[str, Exception],
) -> None:
    """Every component's thread, `allowance.jobs` at a time. What ends the run stops the others, and is raised; what
    the run's purse can't pay for is not begun. What an endpoint refuses of one component is put `aside`, unless it
    refuses the first MISTRUSTED of them: then it would refuse all."""
    gate = asyncio.Semaphore(allowance.jobs)
    done = 0
    with Bench() as bench:
        async with open_checkpoints(_checkpoints(workplace)) as checkpoints:

            async def one(component: Address) -> None:
                nonlocal done
                async with gate:
                    if short_of(purse):
                        return
                    began = time.monotonic()
                    context = workplace.context(allowance.budget(purse))

                    def frozen(outcome: Outcome) -> Description:
                        found = described(workplace, run, component, outcome, time.monotonic() - began)
                        workplace.store.recorder.description(run, found)
                        return found

                    try:
                        description = frozen(
                            await run_thread(
                                context,
                                planner,
                                bench,
                                run,
                                component,
                                checkpoints,
                                limits=allowance.limits,
                            )
                        )
                    except Exception as error:
                        if for_later(error) and (done or len(aside) + 1 < MISTRUSTED):
                            aside[str(component)] = error
                            return
                        if ends_the_run(error):
                            raise
                        description = frozen(crashed(workplace.store, run, str(component), error))
                        await checkpoints.adelete_thread(f"{run}/{component}")
                    done += 1
                    workplace.progress("components", done, len(components))
                    tell(description)

            try:
                async with asyncio.TaskGroup() as group:
                    for component in components:
                        group.create_task(one(component))
            except ExceptionGroup as failures:
                raise _worst(failures) from None


def _worst(failures: ExceptionGroup[Exception]) -> Exception:
    """One of them, a bug of ours before anything else."""
    bugs = failures.split(MaieuticError)[1]
    found = (bugs or failures).exceptions[0]
    return _worst(found) if isinstance(found, ExceptionGroup) else found


def described(
    workplace: Workplace, run: str, component: Address, outcome: Outcome, seconds: float
) -> Description:
    """The outcome of a thread as the description that is frozen. What it cost is counted from the record."""
    experiments = workplace.store.queries.experiments(run, str(component))
    paid = spent(workplace.store.queries.steps(run, str(component)), experiments)
    cost = {
        "forwards": float(sum(one.result["cost"]["forwards"] for one in experiments)),
        "tokens": float(paid.tokens),
        "money": paid.priced,
    }
    common = {
        "component": str(component),
        "evidence": outcome.evidence,
        "seconds": round(seconds, 3),
        "cost": cost,
    }
    decision = outcome.decision
    assert not isinstance(decision, Reply)  # the loop refuses it of a component
    if not isinstance(decision, Conclusion):
        status = "failed" if outcome.by == CRASH else "abstained"
        return Description.model_validate({**common, "status": status, "reason": decision.reason})
    return Description.model_validate(
        {
            **common,
            "status": "unverified",
            "reading": decision.reading,
            "label": decision.label,
            "concept": decision.concept,
            "text": decision.text,
            "facets": decision.facets,
            "confidence": decision.confidence,
            "claims": {name: claim for name, claim in decision.claims.items() if name != "learned"},
        }
    )


def _checkpoints(workplace: Workplace) -> Path | None:
    """Beside the store where that is a file, else in memory."""
    place = Path(workplace.store.where)
    return place.with_name(f"{place.name}.{CHECKPOINTS}") if place.is_file() else None
