"""A ground truth: ordinary labelling runs over components whose truth is known, and what they found of them.

Knows which runs a bench takes: the planner's, one for each part that it shall do without, untrained and natural
components beside, and labels without experiments. How they are set up is setting.py's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from agent.builtin import BuiltinPlanner
from agent.builtin.without import Without
from agent.planner import Planner
from experiments.allowance import Allowance
from experiments.bench.against import against
from experiments.bench.baselines import BASELINES, Seen
from experiments.bench.found import Found, compared
from experiments.bench.natural import measured_beside_best
from experiments.bench.report import Report, Shares
from experiments.bench.runs import begun, tested_guesses
from experiments.bench.setting import Bench
from experiments.bench.spared import spared
from experiments.label import carry_on
from experiments.worlds import World
from store.records import Description
from tools.door import code_version

Tell = Callable[[Description], None]


@dataclass(frozen=True)
class Beside:
    """What is measured beside the planner on its units: `untrained` and `natural` components, labels without
    experiments, and the built-in planner without some of its parts, by what is said of them."""

    untrained: Bench | None = None
    natural: Bench | None = None
    baselines: bool = False
    lacking: Sequence[Without] = ()


NOTHING = Beside()


def measure(
    bench: Bench,
    planner: Planner,
    beside: Beside = NOTHING,
    *,
    allowance: Allowance | None = None,
    tell: Tell = lambda _: None,
) -> Report:
    """Labels every component like any other, and compares. What was stopped goes on: all runs are begun at first."""
    allowed = allowance or Allowance()
    run = _begun(bench, planner, allowed)
    others = [(one, _begun(one, planner, allowed, run)) for one in (beside.untrained, beside.natural) if one]
    less = [(one, _begun(bench, one, allowed, run)) for one in map(BuiltinPlanner, beside.lacking)]

    def labelled(where: Bench, who: Planner, begun_run: str) -> tuple[Found, ...]:
        done = carry_on(where.workplace, begun_run, who, allowed, tell=tell)
        return compared(where.truths, done.descriptions)

    found = labelled(bench, planner, run)
    labels: dict[str, Shares] = dict.fromkeys(BASELINES)
    if beside.baselines:
        labels |= {name: against(found, guessed) for name, guessed in _guessed(bench, run, planner)}
    more = [labelled(where, planner, of_it) for where, of_it in others]
    workplace = bench.workplace
    return Report(
        planner=planner.name,
        seed=workplace.seed,
        run=run,
        fingerprint=workplace.target.fingerprint,
        found=(*found, *(one for units in more for one in units)),
        target=workplace.target.name,
        host=bench.host,
        version=code_version(),
        baselines=labels,
        parts={one.name: spared(found, of_it, labelled(bench, one, of_it)) for one, of_it in less},
        natural=measured_beside_best(beside.natural.workplace, more[-1]) if beside.natural else None,
    )


def _begun(bench: Bench, planner: Planner, allowed: Allowance, of: str = "") -> str:
    workplace = bench.workplace
    arguments = {
        "bench": "truth",
        "seed": workplace.seed,
        "planner": planner.name,
        "images": _images(workplace.world),
        "programs": allowed.programs,
    }
    return begun(workplace, planner.name, [truth.component for truth in bench.truths], arguments, of)


def _images(world: World) -> str:
    """How many pictures of each split, as `--images` says it."""
    return f"{world.name}:{len(world.train)}/{len(world.select)}/{len(world.test)}"


def _guessed(bench: Bench, run: str, planner: Planner) -> Iterable[tuple[str, tuple[Found, ...]]]:
    """What each baseline says of the same components; the planner's own first look is known of the built-in one."""
    seen = Seen(bench.workplace, run)
    components = [truth.component for truth in bench.truths]
    for name, baseline in BASELINES.items():
        if name != "first_candidate" or isinstance(planner, BuiltinPlanner):
            yield name, compared(bench.truths, tested_guesses(seen, name, baseline, components))
