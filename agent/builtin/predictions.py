"""Predictions: what the built-in planner expects of comparisons and pairs, what came of it, and what still stands.

A hypothesis and the experiment that tests it are matched by what they say, so that a thread can be read anew at any
moment. Knows thresholds, controls and refuters; knows nothing about which experiments come next.
"""

from __future__ import annotations

from agent.builtin.candidates import Compared, comparisons, reading_of
from agent.builtin.variants import deciding, length
from agent.thread import Stated, ThreadView, quantities
from agent.verdicts import judge
from store.errors import PlannerError
from store.records import Experiment, Hypothesis, Reading, Verdict
from tools.scoring.derivative import Decides
from tools.scoring.passing import chance_of_passing

THRESHOLD = 0.4
"""Standard deviations of the component by which a phrase must move it, at least."""
BETTER = 0.03
"""Correlation that a combination must gain with every further phrase, place or exception."""


def prediction(concept: str, reading: Reading) -> Hypothesis:
    return Hypothesis(
        statement=f"It is more active ({reading}) where `{concept}` holds than elsewhere.",
        concept=concept,
        quantity="effect",
        direction="above",
        threshold=THRESHOLD,
        control="the same difference for random components of its site",
        refuter="a difference whose interval reaches below the threshold, or one that random components share",
    )


def pair_prediction(concept: str, phrase: str, decided: Decides, reading: Reading) -> Hypothesis:
    rises = decided.sign > 0
    where = f" where `{decided.given}` holds" if decided.given else ""
    return Hypothesis(
        statement=f"Adding `{phrase}` alone{where} {'raises' if rises else 'lowers'} it ({reading}).",
        concept=concept,
        quantity="effect",
        direction="above" if rises else "below",
        threshold=decided.sign * THRESHOLD / 2,
        control="the same pairs measured on random components of its site",
        refuter="pairs between which it hardly differs, although only that changed",
    )


def is_open(hypothesis: Hypothesis, experiment: Experiment) -> bool:
    """Whether the interval of an experiment holds the threshold, so that more of the same may decide."""
    have = quantities(experiment)
    if "effect" not in have or have["effect"].ci is None:
        return False
    low, high = have["effect"].ci
    return low < hypothesis.threshold < high


def verdicts_due(view: ThreadView) -> tuple[Verdict, ...]:
    """Verdicts on every hypothesis that has none yet and whose experiment has run."""
    found = []
    for stated in view.stated:
        if stated.verdicts:
            continue
        experiment = _of_hypothesis(view, stated)
        if experiment is not None:
            try:
                found.append(judge(stated, experiment))
            except PlannerError:
                continue
    return tuple(found)


def _of_hypothesis(view: ThreadView, stated: Stated) -> Experiment | None:
    """The experiment that was run, at the step of the hypothesis or later, to test it."""
    for experiment in view.experiments:
        if experiment.step >= stated.step and _tests(experiment, stated.hypothesis):
            return experiment
    return None


def _tests(experiment: Experiment, hypothesis: Hypothesis) -> bool:
    concept = str(experiment.arguments.get("concept") or "")
    if experiment.tool == "activations":
        return hypothesis == prediction(concept, reading_of(experiment))
    if experiment.tool != "make_pairs":
        return False
    decided = dict(deciding(hypothesis.concept)).get(concept)
    return (
        decided is not None
        and decided.given == experiment.arguments.get("given", "")
        and hypothesis == pair_prediction(hypothesis.concept, concept, decided, reading_of(experiment))
    )


def standing(view: ThreadView, fresh: tuple[Verdict, ...]) -> list[Compared]:
    """Concepts that a comparison supports and no experiment contradicts under the same reading, best first."""
    found = []
    for one in comparisons(view):
        outcomes = {
            verdict.outcome
            for stated in view.stated
            if stated.hypothesis.concept == one.concept and str(one.reading) in stated.hypothesis.statement
            for verdict in (*stated.verdicts, *(new for new in fresh if new.hypothesis == stated.number))
        }
        if "supports" in outcomes and "contradicts" not in outcomes:
            found.append(one)
    return found


def favorite_of(view: ThreadView, fresh: tuple[Verdict, ...]) -> Compared | None:
    """The concept of the highest correlation; each further phrase must earn its place."""
    by_length = sorted(standing(view, fresh), key=lambda one: length(one.concept))
    best: Compared | None = None
    for one in by_length:
        more = length(one.concept) - length(best.concept) if best else 0
        if best is None or one.rho > best.rho + BETTER * more:
            best = one
    return best


def best_scored(view: ThreadView, fresh: tuple[Verdict, ...]) -> Experiment | None:
    """The highest score of a concept that nothing contradicts; of equal ones the first, which was the favorite's."""
    left = {(one.concept, str(one.reading)) for one in standing(view, fresh)}
    scored = [one for one in view.select_scores if (one.arguments["concept"], str(reading_of(one))) in left]
    return max(scored, key=select_pearson, default=None)


def select_pearson(experiment: Experiment) -> float:
    have = quantities(experiment)
    return have["pearson"].value if "pearson" in have else 0.0


def confidence(experiment: Experiment) -> float:
    """The chance that the sealed test will verify what was scored on select, if it is as large."""
    score = quantities(experiment)["pearson"]
    assert score.ci is not None and score.n is not None
    return round(chance_of_passing(score.value, score.ci, score.n), 3)
