"""Threads of a record as values, with what a test does not care about left out."""

from __future__ import annotations

from reports.record import Named, RunRecord, Thread
from store.records import Claim, Description, Score, Split
from store.views import Run


def thread(
    address: str = "language.3.mlp.17",
    status: str = "verified",
    *,
    rho: float | None = 0.8,
    null: float | None = 0.4,
    select: float | None = None,
    judge: str = "scene graph",
    label: str = "red things",
    claims: dict[str, Claim | None] | None = None,
) -> Thread:
    scores = [
        Named(
            "pearson",
            Score(value=value, ci=(value - 0.1, value + 0.1), n=9, split=split, null=null, judge=judge),
        )
        for split, value in _splits(rho, select)
    ]
    described = Description.model_validate(
        {"component": address, "status": "unverified", "label": label, "claims": claims or {}}
    )
    return Thread(address, status, "", described, tuple(scores), (), (), ())


def _splits(rho: float | None, select: float | None) -> list[tuple[Split, float]]:
    told: tuple[tuple[Split, float | None], ...] = (("test", rho), ("select", select))
    return [(split, value) for split, value in told if value is not None]


def record(*threads: Thread, status: str = "done") -> RunRecord:
    run = Run.model_validate(
        {
            "id": "abc",
            "kind": "label",
            "target": "tiny",
            "fingerprint": "f",
            "arguments": {},
            "seed": 1,
            "planner": "builtin",
            "status": status,
            "started": "2026-01-01T00:00:00",
            "ended": "",
        }
    )
    return RunRecord(run, threads, ())
