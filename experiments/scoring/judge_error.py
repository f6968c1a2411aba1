"""How often a judge is wrong, in words that stand beside every score which it gives.

Knows the judges whose error was measured where the truth is known: the scene graph, which is the truth, and the
embedded judge, examined on painted scenes that no training showed (`python -m experiments.tableau.prove`). Of any other
it says that nobody measured it: what a judge gets right on painted scenes says little of photographs.
"""

from __future__ import annotations

import json
from functools import lru_cache

from experiments.judges import SCENE_GRAPH, TABLEAU_JUDGE
from experiments.registry import WEIGHTS

EXACT = "exact"
UNMEASURED = "error not measured"
RECORD = WEIGHTS.parent / "results" / "judge.json"


@lru_cache
def error_of(judge: str) -> str:
    """Such as "exact", or "wrong in 0.0 % [0.0, 0.2] of 1922 phrases about painted scenes"."""
    if judge == SCENE_GRAPH:
        return EXACT
    if judge != TABLEAU_JUDGE or not RECORD.is_file():
        return UNMEASURED
    right = json.loads(RECORD.read_text(encoding="utf-8"))["balanced"]["phrases"]
    wrong, high, low = (100 * (1 - share) for share in (right["accuracy"], *right["ci"]))
    return f"wrong in {wrong:.1f} % [{low:.1f}, {high:.1f}] of {right['n']} phrases about painted scenes"
