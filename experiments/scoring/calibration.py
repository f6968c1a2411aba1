"""Whether a planner's confidence comes true: the probability that it gave its words, beside what the sealed test said.

A description is counted when it was tested; abstentions, failures and what waits for its test are left out and counted.
Beside the confidence stand two probabilities made without the test: the confidence after a map that was fitted to
select (did the interval of the select score pass the bar?), and the chance that the select score alone gives
(tools/scoring/passing.py). The select outcome hangs on the very score that a planner may have made its confidence of,
so the map can only undo a wrong scale. Components of a run share their test pictures, which the intervals, drawn over
components, do not see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.scoring.protocol import ACCURATE, PRIMARY
from store.database import Store
from store.errors import UserError
from store.records import Description, Quantity, Reading
from tools.scoring.calibration import OddsMap, Reliability, fit_odds_map, reliability
from tools.scoring.passing import chance_of_passing

SCORED_BY = "score_description"
"""The tool by which a planner learns a score on select."""
FEWEST = 2
"""Outcomes that can be compared with probabilities, at least."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A tested description. `on_select` says whether its words passed on select too, and `chance` how likely that score
    made them to pass the test; None where the planner never asked for one."""

    component: str
    confidence: float
    verified: bool
    on_select: bool | None = None
    chance: float | None = None


@dataclass(frozen=True)
class Calibration:
    """What became of the confidences of some runs; `left_out` counts components without an outcome by the reason."""

    runs: tuple[str, ...]
    planners: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    left_out: dict[str, int]

    @property
    def odds_map(self) -> OddsMap | None:
        """Fitted to select; None where fewer than FEWEST descriptions have a score there."""
        known = [(one.confidence, one.on_select) for one in self.outcomes if one.on_select is not None]
        return fit_odds_map(*zip(*known, strict=True)) if len(known) >= FEWEST else None

    def reliabilities(self) -> dict[str, Reliability]:
        """On test: of the confidence, of the confidence after the map, and of the chance by the select score."""
        said = {"confidence": [(one.confidence, one.verified) for one in self.outcomes]}
        if (fitted := self.odds_map) is not None:
            mapped = fitted([one.confidence for one in self.outcomes]).tolist()
            said["mapped"] = list(zip(mapped, (one.verified for one in self.outcomes), strict=True))
        chances = [(one.chance, one.verified) for one in self.outcomes if one.chance is not None]
        if len(chances) >= FEWEST:
            said["chance"] = chances
        return {name: reliability(*zip(*pairs, strict=True)) for name, pairs in said.items()}

    def as_json(self) -> dict[str, Any]:
        """What was not measured is null."""
        fitted = self.odds_map
        found = self.reliabilities()
        return {
            "runs": list(self.runs),
            "planners": list(self.planners),
            "n": len(self.outcomes),
            "verified": sum(one.verified for one in self.outcomes),
            "left_out": self.left_out,
            "map": None
            if fitted is None
            else {"slope": fitted.slope, "shift": fitted.shift, "fitted_on": "select", "n": fitted.n},
            **{
                name: told(found[name]) if name in found else None
                for name in ("confidence", "mapped", "chance")
            },
        }


def calibration_of(store: Store, runs: Sequence[str]) -> Calibration:
    """The confidences of these runs and their outcomes. Raises UserError as `together` does, and for an unknown run."""
    return together([outcomes_of(store, runs)])


def together(found: Sequence[Calibration]) -> Calibration:
    """Runs of several stores as one. Raises UserError where fewer than FEWEST descriptions were tested in all."""
    runs = tuple(run for one in found for run in one.runs)
    outcomes = tuple(outcome for one in found for outcome in one.outcomes)
    if len(outcomes) < FEWEST:
        raise UserError(
            f"{len(outcomes)} descriptions of run `{', '.join(runs)}` were tested, too few to calibrate",
            kind="untested",
            hint="name a run that is done, or several",
        )
    planners = dict.fromkeys(planner for one in found for planner in one.planners)
    left_out = sum((Counter(one.left_out) for one in found), Counter[str]())
    return Calibration(runs, tuple(planners), outcomes, dict(left_out))


def outcomes_of(store: Store, runs: Sequence[str]) -> Calibration:
    """What became of these runs of one store, however few. Raises UserError for a run that it does not have."""
    planners = dict.fromkeys(store.queries.run(run).planner for run in runs)
    outcomes: list[Outcome] = []
    left_out = Counter[str]()
    for run in runs:
        for said in store.queries.descriptions(run, test=True):
            if said.status in ("abstained", "failed"):
                left_out[said.status] += 1
            elif (score := said.scores.get(PRIMARY)) is None or score.split != "test":
                left_out["untested"] += 1
            else:
                outcomes.append(_outcome(said, select_score(store, run, said), score.n))
    return Calibration(tuple(runs), tuple(planners), tuple(outcomes), dict(left_out))


def select_score(store: Store, run: str, said: Description) -> Quantity | None:
    """Pearson on select as the planner was told it for the words that it froze; None where it never asked."""
    for one in reversed(store.queries.experiments(run, said.component)):
        about = one.arguments
        reading = Reading.model_validate(about.get("reading") or {})
        if (one.tool, about.get("concept"), reading, one.error) == (
            SCORED_BY,
            said.concept,
            said.reading,
            "",
        ):
            found = one.result.get("quantities", {}).get(PRIMARY)
            return Quantity.model_validate(found) if found else None
    return None


def told(found: Reliability) -> dict[str, Any]:
    """The shape of the public contract: every number with its interval, n, and what it is compared with."""
    return {
        "gap": found.gap.as_json("gap"),
        "ece": {**found.error.as_json("ece"), "chance": round(found.chance, 6)},
        "brier": {**found.brier.as_json("brier"), "control": round(found.ignorant, 6)},
        "bins": [
            {"low": one.low, "high": one.high, "said": round(one.said, 6), **one.true.as_json("verified")}
            for one in found.bins
        ],
    }


def _outcome(said: Description, on_select: Quantity | None, n_test: int) -> Outcome:
    verified = said.status == "verified"
    if on_select is None or on_select.ci is None or not on_select.n:
        return Outcome(said.component, said.confidence, verified)
    chance = chance_of_passing(on_select.value, on_select.ci, on_select.n, n_test)
    return Outcome(said.component, said.confidence, verified, on_select.ci[0] > ACCURATE, chance)
