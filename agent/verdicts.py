"""Verdicts: what a recorded number says of a hypothesis, and whether a verdict is entitled to say so.

Knows direction, threshold, interval and control; knows nothing about who proposed what. A verdict's numbers come from
experiments: `judge` reads them there, and `unfounded` finds those that were made up.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from agent.receipts import broken_references, holds, rounded, same_effect, traces
from agent.thread import Stated, ThreadView, quantities
from store.errors import PlannerError
from store.records import Experiment, Hypothesis, Interval, Outcome, Verdict


def judge(stated: Stated, experiment: Experiment, quantity: str = "", because: str = "") -> Verdict:
    """The verdict of one experiment; `quantity` is the one that the hypothesis names unless another is given.

    Raises PlannerError when the experiment has no such quantity.
    """
    name = quantity or stated.hypothesis.quantity
    have = quantities(experiment)
    if name not in have:
        offers = ", ".join(f"`{offer}`" for offer in have) or "none"
        raise PlannerError(
            f"e{experiment.number} has no quantity `{name}`; it has {offers}",
            kind="verdict",
            hint="name one of these, or run an experiment that measures it",
        )
    found = have[name]
    ci = found.ci or (found.value, found.value)
    return Verdict(
        hypothesis=stated.number,
        outcome=outcome(stated.hypothesis, found.value, ci, found.control),
        experiments=(experiment.number,),
        effect=found.value,
        ci=ci,
        because=because,
    )


def outcome(hypothesis: Hypothesis, value: float, ci: Interval, control: float | None) -> Outcome:
    """`supports` when the whole interval is past the threshold, `contradicts` when none of it is.

    An effect that the control shows too (it is past the threshold, and no smaller than the interval allows) is
    `inconclusive`: whatever made it, it was not what the hypothesis names.
    """
    low, high = ci
    if passes(hypothesis, low) and passes(hypothesis, high):
        return "inconclusive" if control is not None and _shared(hypothesis, ci, control) else "supports"
    if hypothesis.direction == "within":
        return "contradicts" if low > hypothesis.threshold or high < -hypothesis.threshold else "inconclusive"
    return "inconclusive" if passes(hypothesis, low) or passes(hypothesis, high) else "contradicts"


def _shared(hypothesis: Hypothesis, ci: Interval, control: float) -> bool:
    """Whether the control shows the effect as well."""
    match hypothesis.direction:
        case "above":
            return passes(hypothesis, control) and control >= ci[0]
        case "below":
            return passes(hypothesis, control) and control <= ci[1]
        case "within":
            return False


def passes(hypothesis: Hypothesis, value: float) -> bool:
    """Whether a value is as predicted: above or below the threshold, or at most the threshold away from zero."""
    match hypothesis.direction:
        case "above":
            return value > hypothesis.threshold
        case "below":
            return value < hypothesis.threshold
        case "within":
            return abs(value) <= hypothesis.threshold


def unfounded(view: ThreadView, verdict: Verdict) -> Iterator[str]:
    """Why a verdict can't be given, as sentences that say what to do instead."""
    stated = next((stated for stated in view.stated if stated.number == verdict.hypothesis), None)
    if stated is None:
        known = ", ".join(f"h{stated.number}" for stated in view.stated) or "none yet"
        yield f"there is no hypothesis `h{verdict.hypothesis}`; proposed so far: {known}"
        return
    have = {experiment.number: experiment for experiment in view.experiments}
    broken = list(broken_references("".join(f"[e{number}]" for number in verdict.experiments), have))
    yield from broken
    if broken:
        return
    cited = [have[number] for number in verdict.experiments]
    if all(experiment.step < stated.step for experiment in cited):
        yield (
            f"h{stated.number} was proposed after the experiments that its verdict cites, so they could not refute it: "
            "test it with a new experiment"
        )
    if not holds(verdict.effect, cited):
        yield f"the effect `{rounded(verdict.effect)}` is not a quantity of the experiments cited"
    low, high = verdict.ci
    if not (isfinite(low) and isfinite(high) and low <= high) or not (
        low <= verdict.effect <= high or same_effect(verdict.effect, low) or same_effect(verdict.effect, high)
    ):
        yield f"the interval {rounded(low)} to {rounded(high)} does not hold the effect `{rounded(verdict.effect)}`"
    yield from _unearned(stated, verdict)


def controlled(view: ThreadView, verdict: Verdict) -> bool:
    """Whether the effect of a verdict stands beside a control in one of its experiments."""
    have = {experiment.number: experiment for experiment in view.experiments}
    return any(
        quantity.control is not None
        and any(same_effect(verdict.effect, number) for number in traces(quantity))
        for number in verdict.experiments
        if number in have
        for quantity in quantities(have[number]).values()
    )


def _unearned(stated: Stated, verdict: Verdict) -> Iterator[str]:
    """A verdict that its own interval does not bear out."""
    asked = f"h{stated.number} predicts {stated.hypothesis.direction} {rounded(stated.hypothesis.threshold)}"
    low, high = verdict.ci
    passing = [passes(stated.hypothesis, end) for end in (low, high)]
    if verdict.outcome == "supports" and not all(passing):
        yield f"{asked}; the interval {rounded(low)} to {rounded(high)} does not support it"
    if verdict.outcome == "contradicts" and all(passing):
        yield f"{asked}; the interval {rounded(low)} to {rounded(high)} does not contradict it"
