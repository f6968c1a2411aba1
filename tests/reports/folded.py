"""A component with many variants tried: one described, two of its pairs, and a long tail that is not leaned on."""

from __future__ import annotations

from collections.abc import Mapping

from store.database import Store
from store.recorder import Turn
from store.records import Claim, Hypothesis, Score, Verdict
from tests.reports.filled import FINGERPRINT, decide, freeze

MANY = "vision.2.mlp.7"
CONCEPT = "5.0 (red star | moon) + 2.0 ring"
PART = "red star | moon"
TAIL = ("star", "moon & !ring", "ring", "circle", "square", "heart")
LEADS: dict[str, list[dict[str, object]]] = {
    "missed": [{"phrase": "dotted thing", "n": 30, "without": 170, "effect": 0.61, "z": 6.25}],
    "sharper": [],
    "spoiled": [{"phrase": "light background", "n": 44, "without": 58, "effect": -1.05, "z": -14.96}],
}


def fill_many(store: Store) -> tuple[str, dict[str, int]]:
    """The run, and the number of the experiment on each concept, of `pair` and of `leads`."""
    recorder = store.recorder
    recorder.target("tableau-llava", FINGERPRINT, "llava", {"layers": 6})
    run = recorder.open_run("label", FINGERPRINT, {"components": MANY}, 7, "builtin")
    recorder.components(run, [MANY])
    numbers = {}
    for h, concept in enumerate((*TAIL, CONCEPT), 1):
        numbers[concept] = _tried(store, run, h, concept, "supports" if h % 2 else "contradicts")
    told = {"summary": "Missed: dotted thing.", "quantities": {"pearson": _measured(0.54, (0.5, 0.58), 0.0)}}
    asked = {"concept": "ring"}
    numbers["leads"] = _call(store, run, 8, "unexplained", asked, {**asked, **told, **LEADS})
    asked = {"concept": "moon", "given": "!red star"}
    rows = {"pairs": [{"a_without": 0.5, "a_with": 2.0, "changed": "added a moon"}]}
    numbers["pair"] = _call(store, run, 9, "make_pairs", asked, {**asked, **rows, "summary": "It rises."})
    decide(store, run, MANY, 0, calls=["activations"] * 30)
    freeze(
        store,
        run,
        MANY,
        label="mostly (red star or moon), partly ring",
        concept=CONCEPT,
        text=f"It is raised [e{numbers[CONCEPT]}], and by a moon alone [e{numbers['pair']}].",
        facets=({"phrase": PART, "weight": 0.7}, {"phrase": "ring", "weight": 0.3}),
        claims={"learned": Claim(verdict="yes", about=PART, because=f"`{PART}`, a part of it, was learned")},
    )
    score = Score(value=0.7, ci=(0.67, 0.73), n=900, split="test", p=1e-12, q=0.0123)
    recorder.score(run, MANY, "pearson", score)
    recorder.settle(run, MANY, "verified")
    recorder.end_run(run, "done")
    return run, numbers


def _tried(store: Store, run: str, number: int, concept: str, outcome: str) -> int:
    """A hypothesis about a concept with the experiment that judged it."""
    stated = Hypothesis(
        statement=f"It is more active where `{concept}` holds than elsewhere.",
        concept=concept,
        quantity="effect",
        direction="above",
        threshold=0.4,
        control="random components",
        refuter="an interval below",
    )
    store.recorder.hypothesis(run, MANY, number, stated)
    effect = {"effect": _measured(1.1, (1.0, 1.2), 0.3)}
    told = {"summary": f"`{concept}`: +1.10 sd", "concept": concept, "quantities": effect}
    experiment = _call(store, run, number, "activations", {"concept": concept}, told)
    verdict = Verdict(
        hypothesis=number,
        outcome=outcome,  # type: ignore[arg-type]  # one of the three words
        experiments=(experiment,),
        effect=1.1,
        ci=(1.0, 1.2),
    )
    store.recorder.verdict(run, MANY, number, verdict)
    return experiment


def _call(
    store: Store, run: str, call: int, tool: str, arguments: dict[str, str], result: Mapping[str, object]
) -> int:
    return store.recorder.experiment(
        Turn(run, MANY, 0, call),
        tool=tool,
        arguments={"component": MANY} | arguments,
        seed=7,
        fingerprint=FINGERPRINT,
        code="0.1.0+0a1b2c3d4e5f",
        result=dict(result),
    ).number


def _measured(value: float, ci: tuple[float, float], control: float) -> dict[str, object]:
    return {"value": value, "ci": ci, "unit": "sd", "n": 200, "control": control}
