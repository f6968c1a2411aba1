"""How a labelling run ends for whoever began it: its exit code, and the command that goes on from there.

A run in which components failed by a mistake of ours is done all the same (0): each is one of its descriptions, counted
in its summary and told on stderr. Where every component failed nothing was done (1). Descriptions are frozen, failed
ones too, so these are tried again in a new run. Knows nothing about how components are described.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from experiments.commands.output import narrate
from experiments.commands.workplaces import USUAL, Service
from experiments.driving import INTERRUPTED, in_this_process
from store.errors import MaieuticError
from tools.budget import CALLS, REVISIONS

if TYPE_CHECKING:
    from agent.planner import Planner
    from experiments.allowance import Allowance
    from experiments.label import Labelled
    from experiments.workplace import Workplace

FAILED, PARTLY, BUDGET = 1, 3, 4
"""Exit codes: every component failed, the run can be resumed, it was concluded for want of budget."""
Say = Callable[[str], None]
_FLAGS = {
    "images": ("--images", ""),
    "judge": ("--judge", ""),
    "editor": ("--editor", ""),
    "planner": ("--planner", "builtin"),
    "seed": ("--seed", 0),
    "dtype": ("--dtype", "float32"),
    "calls": ("--max-calls", CALLS),
    "forwards": ("--max-forwards", 0),
    "seconds": ("--max-seconds", 0),
    "judged": ("--judged", 0),
    "describer": ("--describer", ""),
    "context": ("--context", 0),
    "revisions": ("--max-revisions", REVISIONS),
    "tokens": ("--max-tokens", 0),
    "money": ("--max-money", 0),
    "tokens_each": ("--max-tokens-each", 0),
    "money_each": ("--max-money-each", 0),
    "programs": ("--no-programs", True),
}
"""What a run remembers of its command, as flags with their defaults."""


class Stopped(MaieuticError):
    """A run that ended before it was done: what is acknowledged is kept, and the hint is how to go on."""

    def __init__(self, message: str, kind: str, hint: str, exit_code: int) -> None:
        super().__init__(message, kind=kind, hint=hint)
        self.exit_code = exit_code


@contextmanager
def resumable(again: str, *passing: type[MaieuticError]) -> Iterator[None]:
    """A block of work that can be taken up again. Raises Stopped, with `again` as the way to do so, for what ends it,
    except errors of the `passing` classes."""
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped("interrupted", "interrupted", again, INTERRUPTED) from None
    except passing:
        raise
    except MaieuticError as error:
        raise Stopped(
            error.message, error.kind, f"{error.hint or 'mend it'}, then {again}", PARTLY
        ) from error


def carried_on(
    workplace: Workplace,
    run: str,
    planner: Planner,
    allowance: Allowance,
    *,
    limit: int,
    again: str,
    say: Say,
) -> Labelled:
    """What the run comes to. Raises Stopped where it has to be resumed, with `again` as the way to do so.

    A second interruption waits for nothing: it leaves the process as a kill does, and the run stands as after one.
    """
    from experiments.commands.tables import line_of
    from experiments.label import carry_on

    try:
        with resumable(again):
            return carry_on(
                workplace,
                run,
                planner,
                allowance,
                limit=limit,
                tell=lambda one: say(line_of(one)),
                drive=in_this_process(again),
            )
    except MaieuticError:
        raise
    except Exception:
        narrate(f"run {run} failed by a mistake of ours; {again}")
        raise


def ended(found: Labelled, again: str, anew: Callable[[list[str]], str]) -> int:
    """The exit code; what is left to do is told on stderr: `again` goes on, `anew` begins some components once more."""
    failed = [one for one in found.descriptions if one.status == "failed"]
    for one in failed:
        narrate(f"{one.component} failed by a mistake of ours: {one.reason}")
    if failed:
        narrate(
            f"{len(failed)} of {len(found.descriptions)} failed; {anew([one.component for one in failed])}"
        )
    for component, why in found.aside.items():
        narrate(f"{component} was left for later: {why}")
    if found.pressed:
        narrate(
            f"{len(found.pressed)} of {len(found.descriptions)} had to be concluded for want of budget; "
            f"with a higher one {anew(list(found.pressed))}"
        )
    if found.status == "budget" and found.told:
        narrate(f"{found.told}: with a higher one {again}")
        return BUDGET
    if found.status == "partial":
        narrate(f"partly done; {again}")
        return PARTLY
    if failed and len(failed) == len(found.descriptions):
        return FAILED
    return BUDGET if found.status == "budget" else 0


def resume_command(*words: str, store: str, service: Service = USUAL) -> str:
    """These words of a command, with the options that a run does not remember."""
    return f"go on with `{shlex.join(['maieutic', *words, *_places(store, service)])}`"


def new_command(asked: Mapping[str, Any], components: list[str], store: str, service: Service) -> str:
    """The command that describes some of a run's components once more, in a run of their own."""
    words = ["maieutic", "label", str(asked["target"]), "--components", ",".join(components)]
    for name, (flag, usual) in _FLAGS.items():
        if asked.get(name, usual) != usual:
            words += [flag] if asked[name] is False else [flag, str(asked[name])]
    return f"try again with `{shlex.join([*words, *_places(store, service)])}`"


def _places(store: str, service: Service) -> list[str]:
    usual, named = {"store": ""} | asdict(USUAL), {"store": store} | asdict(service)
    unusual = ((name, told) for name, told in named.items() if told != usual[name])
    return [word for name, told in unusual for word in (f"--{name.replace('_', '-')}", str(told))]
