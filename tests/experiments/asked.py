"""A place to ask in: the world of squares before a lively tiny model, with a store of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.ask.why import Shown
from agent.builtin import BuiltinPlanner
from experiments.allowance import Allowance
from experiments.asking import Asked, ask
from experiments.terms import Terms
from experiments.workplace import Workplace
from experiments.worlds import World
from store.database import Store
from tests.tools.small import SquareDescriber, SquareEditor, SquareJudge, Squares
from tools.targets.load import load_target

WORDS = {"target": "tiny", "images": "squares", "judge": "", "planner": "builtin", "seed": 0}


def squares() -> World:
    return World(
        name="squares",
        train=Squares(),
        select=Squares("select", 24),
        test=Squares("test", 24),
        reference=Squares("test", 24),
        judge=SquareJudge(),
        judge_name="squares",
        scorer_judge=SquareJudge(),
        scorer_judge_name="squares",
        describer=SquareDescriber(),
        editor=SquareEditor(),
        scorer_editor=SquareEditor(),
        shared_judge=True,
    )


def place(store: Store, model: Path, cache: Path) -> Workplace:
    return Workplace(store, load_target(model, name="tiny"), squares(), seed=0, cache=cache)


def asks(
    workplace: Workplace,
    text: str,
    *,
    calls: int = 16,
    shown: Shown | None = None,
    against: Workplace | None = None,
    **words: Any,
) -> Asked:
    terms = Terms(BuiltinPlanner(), WORDS | words, Allowance(calls=calls), shown=shown)
    return ask(workplace, text, terms, against)
