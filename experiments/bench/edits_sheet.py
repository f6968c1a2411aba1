"""A sheet of an editor's tries for people to look at: before and after, what was asked, and what the proof said.

Knows tries and typesetting; chooses evenly over the kinds of edits, so that what is shown is not what went best.
"""

from __future__ import annotations

from PIL import Image

from experiments.bench.edits import Tries
from experiments.tableau.sheet import beside, picture_sheet
from experiments.tableau.trial_edits import TRIED
from tools.editing.attempts import Attempt

COLUMNS = 6


def edits_sheet(tries: Tries, accepted: int = 40, rejected: int = 20) -> Image.Image | None:
    """Up to so many accepted and rejected tries, kind after kind; None where nothing was drawn."""
    shown = [*_chosen(tries, True, accepted), *_chosen(tries, False, rejected)]
    if not shown:
        return None
    proved = sum(attempt.accepted for _, _, attempt in shown)
    return picture_sheet(
        [beside(before, after) for before, after, _ in shown],
        [f"{attempt.words}\n{_said(attempt)}" for _, _, attempt in shown],
        scale=1,
        columns=COLUMNS,
        title=f"{proved} edits that were proved, then {len(shown) - proved} that were turned down and why",
    )


def _chosen(tries: Tries, accepted: bool, n: int) -> list[tuple[Image.Image, Image.Image, Attempt]]:
    """Tries with that outcome, one of each kind in turn."""
    piles: list[list[tuple[Image.Image, Image.Image, Attempt]]] = [
        [
            (trial.planned.before.image, picture, attempt)
            for trial, tried in zip(tries.trials, tries.tried, strict=True)
            if trial.kind == kind
            for attempt, picture in zip(tried.attempts, tried.pictures, strict=True)
            if picture is not None and attempt.accepted is accepted
        ]
        for kind in TRIED
    ]
    deepest = max(map(len, piles), default=0)
    return [pile[place] for place in range(deepest) for pile in piles if place < len(pile)][:n]


def _said(attempt: Attempt) -> str:
    said = attempt.check.told if attempt.check is not None else f"turned down: {attempt.failed}"
    return said.replace("`", "")
