"""A ground truth: ordinary labelling runs over components whose truth is known, and what they found of them.

Knows which runs a bench takes: the planner's, one for each part that it shall do without, untrained and natural
components beside, and labels without experiments. How they are set up is setting.py's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.builtin import BuiltinPlanner
from agent.builtin.without import Without
from agent.planner import Planner
from experiments.bench.against import against
from experiments.bench.baselines import BASELINES, Seen
from experiments.bench.found import Found, compared
from experiments.bench.natural import measured_beside_best
from experiments.bench.report import Report, Shares
from experiments.bench.runs import begun, tested_guesses
from experiments.bench.setting import Bench
from experiments.bench.spared import spared
from experiments.label import Allowance, carry_on
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
    """Labels every component like any other, and compares. A run that was stopped goes on."""

    def label(where: Bench, who: Planner) -> tuple[str, tuple[Found, ...]]:
        return _labelled(where, who, allowance or Allowance(), tell)

    run, found = label(bench, planner)
    labels: dict[str, Shares] = dict.fromkeys(BASELINES)
    if beside.baselines:
        labels |= {name: against(found, guessed) for name, guessed in _guessed(bench, run, planner)}
    others: tuple[Found, ...] = ()
    natural: Mapping[str, object] | None = None
    if beside.untrained is not None:
        others += label(beside.untrained, planner)[1]
    if beside.natural is not None:
        living = label(beside.natural, planner)[1]
        others += living
        natural = measured_beside_best(beside.natural.workplace, living)
    less = [BuiltinPlanner(without) for without in beside.lacking]
    workplace = bench.workplace
    return Report(
        planner=planner.name,
        seed=workplace.seed,
        run=run,
        fingerprint=workplace.target.fingerprint,
        found=(*found, *others),
        target=workplace.target.name,
        host=bench.host,
        version=code_version(),
        baselines=labels,
        parts={one.name: spared(found, *label(bench, one)) for one in less},
        natural=dict(natural) if natural is not None else None,
    )


def _labelled(
    bench: Bench, planner: Planner, allowance: Allowance, tell: Tell
) -> tuple[str, tuple[Found, ...]]:
    """The run, and what it found of each component."""
    workplace = bench.workplace
    arguments = {"bench": "truth", "seed": workplace.seed, "planner": planner.name}
    run = begun(workplace, planner.name, [truth.component for truth in bench.truths], arguments)
    labelled = carry_on(workplace, run, planner, allowance, tell=tell)
    return run, compared(bench.truths, labelled.descriptions)


def _guessed(bench: Bench, run: str, planner: Planner) -> Iterable[tuple[str, tuple[Found, ...]]]:
    """What each baseline says of the same components; the planner's own first look is known of the built-in one."""
    seen = Seen(bench.workplace, run)
    components = [truth.component for truth in bench.truths]
    for name, baseline in BASELINES.items():
        if name != "first_candidate" or isinstance(planner, BuiltinPlanner):
            yield name, compared(bench.truths, tested_guesses(seen, name, baseline, components))
