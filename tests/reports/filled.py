"""A store with a labelling run as one would leave it: four components with four endings, and one not begun.

What a hostile caption or planner could write can be put in the place of every word that is not ours.
"""

from __future__ import annotations

import random
from typing import Any

from store.database import Store
from store.recorder import Turn
from store.records import Claim, Description, Facet, Hypothesis, Reading, Score, Verdict
from tests.reports.pictures import heated, kept, painted

FINGERPRINT = "9f3c5e1ab2d84c7690e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7"
VERIFIED = "language.3.mlp.17"
UNVERIFIED = "language.4.mlp.201"
ABSTAINED = "vision.2.mlp.5"
FAILED = "vision.2.head.1"
HEAD = "language.5.head.2"
PENDING = "language.5.mlp.9"
DIFFERENT = 4
"""Pictures of a kind: each costs a forced write."""
WARNING = "2 of 24 pairs were left out: more than the concept changed"


def fill(store: Store, *, hostile: str = "") -> str:
    """Records the run and returns its id. `hostile` stands in every free text."""
    recorder = store.recorder
    recorder.target("tableau-llava", FINGERPRINT, "llava", {"layers": 6})
    run = recorder.open_run(
        "label",
        FINGERPRINT,
        {
            "components": "language.3.mlp.17,language.4.mlp.201,language.5.mlp.9,language.5.head.2,vision.2.*",
            "images": "tableau",
            "judge": "tableau-judge",
            "budget": {"calls": 40, "forwards": 20000, "seconds": 120},
        },
        7,
        "builtin",
    )
    recorder.components(run, [VERIFIED, UNVERIFIED, ABSTAINED, FAILED, HEAD, PENDING])
    words = hostile or ""
    _red(store, run, words)
    _unsure(store, run, words)
    _head(store, run, words)
    _silent(store, run, words)
    recorder.end_run(run, "partial")
    return run


def _red(store: Store, run: str, words: str) -> None:
    """A neuron that stands for red things: everything worked."""
    recorder, thread = store.recorder, VERIFIED
    decide(store, run, thread, 0, thought=words or "Begin with what it fires on.", calls=["top_exemplars"])
    seen = measure(store, run, thread, 0, 0, "top_exemplars", _exemplars(store, "red", words))
    recorder.hypothesis(run, thread, 1, _guess(words or "It fires on red things.", "red", 1.0))
    recorder.hypothesis(run, thread, 2, _guess("It fires on round things of any color.", "circle", 1.0))
    recorder.hypothesis(run, thread, 3, _guess("Nothing downstream reads it.", "red", 0.1, "within"))
    decide(store, run, thread, 1, propose=3, calls=["make_pairs", "make_pairs", "patch", "ablate", "tell"])
    pairs = measure(store, run, thread, 1, 0, "make_pairs", _pairs(store, "red thing", 2.4, words))
    round_ = measure(store, run, thread, 1, 1, "make_pairs", _pairs(store, "circle", 0.1, words))
    patch = measure(store, run, thread, 1, 2, "patch", _patch(words))
    cut = measure(store, run, thread, 1, 3, "ablate", _cut())
    for number, outcome, effect, ci, evidence in (
        (1, "supports", 2.41, (2.12, 2.70), pairs),
        (2, "contradicts", 0.08, (-0.11, 0.27), round_),
        (3, "contradicts", 0.43, (0.31, 0.55), cut),
    ):
        verdict = Verdict(
            hypothesis=number,
            outcome=outcome,  # type: ignore[arg-type]  # the words of the table above
            experiments=(evidence,),
            effect=effect,
            ci=ci,
            because=words or "paired difference over 22 pairs, corrected for 14 phrases tried",
        )
        recorder.verdict(run, thread, number, verdict)
    refused = {
        "step": 1,
        "kind": "repair",
        "text": words or "`tell` is not a tool; did you mean `patch`?",
        "call": 4,
    }
    judged = [(1, "supports", pairs), (2, "contradicts", round_)]
    decide(store, run, thread, 2, verdicts=judged, notes=[refused])
    recorder.score(run, thread, "pearson", _score(0.8, (0.76, 0.84), 1024, "select"))
    freeze(
        store,
        run,
        thread,
        label=words or "red things",
        concept=words or "red",
        text=f"It fires on red things of any shape [e{seen}]. Painting a thing red raises it by 2.41 standard "
        f"deviations, making it round does not [e{pairs}, e{round_}].\n\nThe answer leans on it: with the neuron "
        f"set to its mean, the right answer's logit falls by 0.43 on color questions [e{cut}]. {words}",
        facets=(
            Facet(phrase=words or "red thing", weight=0.8, evidence=(seen, pairs)),
            Facet(phrase="orange thing", weight=0.2, evidence=(seen,)),
        ),
        confidence=0.9,
        claims={
            "necessary": _claim("yes", 0.43, (0.31, 0.55), 0.04, cut, words),
            "sufficient": _claim("undetermined", 0.12, (-0.05, 0.29), 0.02, patch, words),
            "unused": _claim("no", 0.43, (0.31, 0.55), 0.04, cut, words),
        },
    )
    test = {
        "pearson": (0.78, 0.74, 0.82),
        "auprc": (0.71, 0.65, 0.77),
        "f1": (0.66, 0.6, 0.72),
        "iou": (0.5, 0.43, 0.56),
    }
    for name, (value, low, high) in test.items():
        recorder.score(run, thread, name, _score(value, (low, high), 2048, "test", 0.41))
    recorder.settle(
        run,
        thread,
        "verified",
        claims={
            "selective": _claim("yes", 0.78, (0.74, 0.82), 0.22, None, words),
            "learned": _claim("yes", 0.37, (0.33, 0.41), 0.0, None, words),
        },
    )


def _unsure(store: Store, run: str, words: str) -> None:
    """A label that does not pass."""
    thread = UNVERIFIED
    decide(store, run, thread, 0, calls=["top_exemplars", "ablate"])
    seen = measure(store, run, thread, 0, 0, "top_exemplars", _exemplars(store, "yellow", words))
    freeze(
        store,
        run,
        thread,
        label="bright things near the middle",
        concept="yellow",
        text=f"Its strongest pictures hold something yellow near the middle [e{seen}].",
        reading=Reading(sign="-", scope="question"),
        confidence=0.35,
    )
    store.recorder.score(
        run, thread, "pearson", _score(0.24, (0.17, 0.31), 2048, "test", 0.29, "clip (shared judge)")
    )
    store.recorder.settle(
        run,
        thread,
        "unverified",
        reason=words or "test ρ is 0.24 after two revisions; its lower end is below 0.30",
    )


def _head(store: Store, run: str, words: str) -> None:
    """A head, with its three claims and a picture of its attention."""
    thread = HEAD
    image, place = painted(77, "green")
    decide(store, run, thread, 0, calls=["attention", "vocabulary_effect"])
    looked = measure(
        store,
        run,
        thread,
        0,
        0,
        "attention",
        {
            "summary": "From the answer it looks at the named thing: 0.62 of its attention, 0.11 expected by area.",
            "quantities": {
                "named thing": _quantity(0.62, (0.55, 0.69), "share of attention", 96, 0.11, (0.09, 0.13)),
                "background": _quantity(0.21, (0.16, 0.26), "share of attention", 96, 0.71, (0.68, 0.74)),
                "knockout correlation": _quantity(0.58, (0.41, 0.71), "Spearman ρ", 96),
            },
            "artifacts": {"attention": kept(store, heated(image, place)), "scene": kept(store, image)},
            "cost": {"forwards": 192, "seconds": 1.4},
        },
    )
    wrote = measure(
        store,
        run,
        thread,
        0,
        1,
        "vocabulary_effect",
        {
            "summary": "Its strongest output direction pushes green, lime and grass.",
            "tokens": [
                {"token": words or token, "effect": effect, "rank": rank + 1}
                for rank, (token, effect) in enumerate([("green", 0.91), ("lime", 0.52), ("grass", 0.33)])
            ],
            "direction": 1,
        },
    )
    freeze(
        store,
        run,
        thread,
        label="carries the named thing's color to the answer",
        concept="green",
        text=f"From the answer it attends to the thing in question [e{looked}] and writes its color [e{wrote}].",
        reading=Reading(sign="+", scope="answer"),
        confidence=0.7,
        claims={
            "reads": _claim("yes", 0.62, (0.55, 0.69), 0.11, looked, "", "picture"),
            "writes": _claim("yes", 0.88, (0.8, 0.94), 0.5, wrote, "", "color"),
            "when_cut": None,
        },
    )
    for name, value, null in (("pearson", 0.61, None), ("reads", 0.7, 0.11), ("writes", 0.86, 0.5)):
        scored = _score(value, (value - 0.06, value + 0.05), 512, "test", null)
        store.recorder.score(run, thread, name, scored)
    store.recorder.settle(run, thread, "verified")


def _silent(store: Store, run: str, words: str) -> None:
    """One that abstains, one that fails."""
    decide(store, run, ABSTAINED, 0, calls=["top_exemplars"])
    seen = measure(store, run, ABSTAINED, 0, 0, "top_exemplars", _exemplars(store, "", words, count=5))
    reason = words or f"no phrase separates its exemplars from their neighbours [e{seen}]"
    store.recorder.step(run, ABSTAINED, 1, {"kind": "abstention", "reason": reason})
    freeze(store, run, ABSTAINED, status="abstained", reason=reason)
    freeze(
        store,
        run,
        FAILED,
        status="failed",
        reason=words or "TimeoutError: the planner did not answer in 60 s",
    )


def decide(
    store: Store,
    run: str,
    thread: str,
    step: int,
    *,
    thought: str = "",
    calls: list[str] | None = None,
    propose: int = 0,
    verdicts: list[tuple[int, str, int]] | None = None,
    notes: list[dict[str, Any]] | None = None,
) -> None:
    """One turn of the planner."""
    stated = [{"statement": f"hypothesis {number + 1}"} for number in range(propose)]
    told = [{"hypothesis": h, "outcome": outcome, "experiments": [e]} for h, outcome, e in verdicts or []]
    asked = [{"tool": tool, "arguments": {"component": thread}} for tool in calls or []]
    decision: dict[str, Any] = {
        "kind": "calls",
        "thought": thought,
        "propose": stated,
        "verdicts": told,
        "calls": asked,
    }
    decision |= {"asked": {"notes": notes or [], "finish": ""}}
    store.recorder.step(run, thread, step, decision, prompt="", usage={"tokens": 1240})


def measure(
    store: Store, run: str, thread: str, step: int, call: int, tool: str, result: dict[str, Any]
) -> int:
    """One experiment's number."""
    return store.recorder.experiment(
        Turn(run, thread, step, call),
        tool=tool,
        arguments={"component": thread},
        seed=7,
        fingerprint=FINGERPRINT,
        code="0.1.0+0a1b2c3d4e5f",
        result=result,
    ).number


def freeze(store: Store, run: str, thread: str, **told: Any) -> None:
    words: dict[str, Any] = {"component": thread, "status": "unverified"}
    store.recorder.description(run, Description(**words | told))


def _exemplars(store: Store, color: str, words: str, count: int = 11) -> dict[str, Any]:
    chance = random.Random(color)
    shown = []
    for tail, n, highest in (
        ("top", count, 4.6),
        ("neighbour", 5, 0.2),
        ("quantile", 4, 1.4),
        ("bottom", 5, -0.6),
    ):
        for i in range(n):
            paint = color if tail == "top" or (tail == "quantile" and i % 2) else ""
            image, place = painted(chance.randint(0, DIFFERENT), paint)
            shown.append(
                {
                    "key": words or f"train/{chance.randint(0, 20000)}",
                    "index": i,
                    "value": round(highest - 0.11 * i, 3),
                    "image": kept(store, image),
                    "overlay": kept(store, heated(image, place)),
                    "tail": tail,
                }
            )
    counts = [5210, 6020, 3110, 1490, 820, 410, 260, 170, 130, 96, 88, 71, 64, 58, 40, 31, 17, 9, 4, 2]
    return {
        "summary": words
        or f"15 strongest pictures, 4.60 to 3.06; fires above half of its peak on 3.1 % of them ({color}).",
        "quantities": {
            "firing_rate": _quantity(0.031, (0.028, 0.034), "share of pictures", 18000),
            "peak": {"value": 4.6, "unit": "activation"},
        },
        "exemplars": shown,
        "histogram": {"edges": [round(-0.8 + 0.28 * i, 3) for i in range(21)], "counts": counts},
        "reading": {"sign": "+", "scope": "visual"},
        "dead": False,
        "cost": {"forwards": 15, "seconds": 0.31},
    }


def _pairs(store: Store, concept: str, change: float, words: str) -> dict[str, Any]:
    chance = random.Random(concept)
    shown = []
    for _ in range(4):
        seed = chance.randint(0, DIFFERENT)
        to_round = concept == "circle"
        before, place = painted(seed, "green" if to_round else "blue", square=to_round)
        after, _ = painted(seed, "green" if to_round else "red")
        low = round(chance.uniform(0, 0.6), 2)
        shown.append(
            {
                "concept": words or concept,
                "without": kept(store, before),
                "with": kept(store, after),
                "changed": words
                or ("the green square became a circle" if to_round else "the blue circle became red"),
                "without_key": "made/1",
                "with_key": "made/2",
                "without_overlay": kept(store, heated(before, place)),
                "with_overlay": kept(store, heated(after, place)),
                "a_without": low,
                "a_with": round(low + change + chance.gauss(0, 0.3), 2),
            }
        )
    return {
        "summary": words or f"Adding “{concept}” changes it by {change} standard deviations over 22 pairs.",
        "quantities": {
            "effect": _quantity(
                change, (change - 0.3, change + 0.3), "standard deviations", 22, 0.05, (-0.12, 0.2)
            ),
        },
        "pairs": shown,
        "warnings": [words or WARNING],
        "cost": {"forwards": 48, "seconds": 0.9},
    }


def _patch(words: str) -> dict[str, Any]:
    return {
        "summary": "Patching it alone restores 0.12 of the answer's logit difference; the layer restores 0.83.",
        "quantities": {
            "this neuron": _quantity(0.12, (-0.05, 0.29), "recovery", 22, 0.02, (-0.03, 0.06)),
            "whole layer": _quantity(0.83, (0.74, 0.91), "recovery", 22, 0.02, (-0.03, 0.06)),
            "layer before": _quantity(0.55, (0.43, 0.66), "recovery", 22, 0.01, (-0.04, 0.05)),
        },
        "by_position": [
            {"positions": words or name, "recovery": value, "low": value - 0.1, "high": value + 0.1, "n": 22}
            for name, value in (("visual", 0.11), ("question", 0.01), ("answer", 0.02))
        ],
        "metric": "logit difference",
        "cost": {"forwards": 352, "seconds": 4.2},
    }


def _cut() -> dict[str, Any]:
    return {
        "summary": "Set to its mean, the right answer's logit falls by 0.43 on color questions, by 0.04 for others.",
        "quantities": {
            "color questions": _quantity(0.43, (0.31, 0.55), "logits", 96, 0.04, (-0.02, 0.1)),
            "other questions": _quantity(0.05, (-0.01, 0.11), "logits", 96, 0.04, (-0.02, 0.1)),
        },
        "kinds": [
            {
                "kind": kind,
                "n": 96,
                "drop": drop,
                "ci": [round(drop - 0.11, 3), round(drop + 0.11, 3)],
                "inner": [round(drop - 0.09, 3), round(drop + 0.09, 3)],
                "control": 0.04,
                "control_ci": [-0.02, 0.1],
            }
            for kind, drop in (("color", 0.43), ("shape", 0.06), ("counting", 0.02), ("relation", 0.05))
        ],
        "unused": "no",
        "cost": {"forwards": 960, "seconds": 6.8},
    }


def _quantity(
    value: float,
    ci: tuple[float, float],
    unit: str,
    n: int,
    control: float | None = None,
    control_ci: tuple[float, float] | None = None,
) -> dict[str, Any]:
    return {"value": value, "ci": ci, "unit": unit, "n": n, "control": control, "control_ci": control_ci}


def _guess(statement: str, concept: str, threshold: float, direction: str = "above") -> Hypothesis:
    return Hypothesis(
        statement=statement,
        concept=concept,
        quantity="paired_difference",
        direction=direction,  # type: ignore[arg-type]  # one of the three words
        threshold=threshold,
        control="pairs in which another attribute of the same thing changes",
        refuter=f"a difference whose 95 % interval lies on the other side of {threshold}",
    )


def _claim(
    verdict: str,
    effect: float,
    ci: tuple[float, float],
    control: float,
    evidence: int | None,
    words: str,
    about: str = "",
) -> Claim:
    return Claim(
        verdict=verdict,  # type: ignore[arg-type]  # one of the three words
        about=about,
        effect=effect,
        ci=ci,
        control=control,
        evidence=(evidence,) if evidence else (),
        because=words or "mean ablation against 8 other neurons of the layer",
    )


def _score(
    value: float,
    ci: tuple[float, float],
    n: int,
    split: str,
    null: float | None = None,
    judge: str = "scene graph",
) -> Score:
    return Score(value=value, ci=ci, n=n, split=split, null=null, judge=judge)  # type: ignore[arg-type]
