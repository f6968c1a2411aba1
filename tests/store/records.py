"""Records as a run would make them, with what a test does not care about filled in."""

from __future__ import annotations

from typing import Any

from store.database import Store
from store.recorder import Turn
from store.records import Description, Experiment, Hypothesis, Score, Split, Verdict

TARGET = "sha256:target"
UNIT = "language.3.mlp.17"


def begin(store: Store, fingerprint: str) -> str:
    store.recorder.target("tiny", fingerprint, "llava", {"layers": 2})
    return store.recorder.open_run("label", fingerprint, {"components": UNIT}, 1, "builtin")


def measure(
    store: Store,
    run: str,
    step: int = 0,
    call: int = 0,
    *,
    thread: str = UNIT,
    tool: str = "ablate",
    arguments: dict[str, Any] | None = None,
    result: dict[str, Any] | None = None,
    fingerprint: str = TARGET,
    split: Split = "train",
) -> Experiment:
    return store.recorder.experiment(
        Turn(run, thread, step, call),
        tool=tool,
        arguments=arguments or {"component": thread},
        seed=1,
        fingerprint=fingerprint,
        code="1",
        result=result or {"summary": "the answer's logit falls by 0.4"},
        split=split,
        seconds=0.5,
    )


def guess(statement: str = "It fires on red things.") -> Hypothesis:
    return Hypothesis(
        statement=statement,
        concept="red",
        quantity="difference",
        direction="above",
        threshold=0.2,
        control="pairs that change another color",
        refuter="a difference below 0.2",
    )


def judgement(*experiments: int, hypothesis: int = 1, effect: float = 0.4) -> Verdict:
    return Verdict(
        hypothesis=hypothesis, outcome="supports", experiments=experiments, effect=effect, ci=(0.3, 0.5)
    )


def words(text: str = "Fires on red things.", **more: Any) -> Description:
    told: dict[str, Any] = {"component": UNIT, "status": "unverified", "label": "red things", "text": text}
    return Description(**told | more)


def points(value: float = 0.6, split: Split = "test") -> Score:
    return Score(
        value=value, ci=(value - 0.1, value + 0.1), n=500, split=split, null=0.2, judge="scene graph"
    )
