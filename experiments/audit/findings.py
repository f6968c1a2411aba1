"""From counted replies to findings: effect, control, excess, and after correction over the audit a verdict.

Pure. A claim stands where the effect is at least five points, by itself and beyond its control, and beyond it surely
above 0 (q ≤ 0.05 over the audit's findings); it is refuted where the whole interval of one of the two lies below five
points; anything else is undetermined. Where effect and control are of the same pictures, only those count on which the
two differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from experiments.audit.survey import MATTERS, Survey
from store.audits import AuditFinding, ClaimKind, Topic
from store.records import Answer, Quantity, Verdict
from store.values import Estimate
from tools.scoring.contrast import Cell, contrast, p_value
from tools.scoring.correction import benjamini_hochberg
from tools.scoring.intervals import wilson
from tools.scoring.paired import Discordant, discordant, paired_difference, paired_p

LEVEL = 0.05
"""False discoveries among an audit's findings."""
Counts = Mapping[str, tuple[int, int]]
"""By arm, how many of how many."""
TESTED_ONLY, CONTROL_ONLY = "tested only", "control only"
"""Of pictures that both arms ask about: those on which one alone is of the kind counted."""
TOLD: dict[Answer, str] = {
    "yes": "supports",
    "no": "contradicts",
    "undetermined": "inconclusive",
}


class Claimed(NamedTuple):
    """What is claimed, apart from what was counted."""

    topic: Topic
    name: str
    claim: str
    kind: ClaimKind
    unit: str
    control_is: str
    rival: str
    shows_not: str
    components: tuple[str, ...] = ()

    @staticmethod
    def of(survey: Survey) -> Claimed:
        return Claimed(
            survey.topic,
            survey.name,
            survey.claim,
            survey.kind,
            survey.unit,
            survey.control_is,
            survey.rival,
            survey.shows_not,
        )


class Counted(NamedTuple):
    """A claim with its counts, and the experiments in which they were counted."""

    claimed: Claimed
    counts: Counts
    evidence: tuple[int, ...]
    numbers: Mapping[str, Quantity] = {}


class Excess(NamedTuple):
    """An effect beyond its control, and the p of "there is none"."""

    estimate: Estimate
    p: float


def findings(counted: Sequence[Counted]) -> tuple[AuditFinding, ...]:
    """All findings of an audit together, since their p-values are corrected together."""
    beyond = [excess(one.counts) for one in counted]
    q = benjamini_hochberg([one.p for one in beyond]).tolist() if beyond else []
    return tuple(_finding(*row) for row in zip(counted, beyond, q, strict=True))


def compared(tested: Sequence[bool], control: Sequence[bool]) -> Counts:
    """The two arms' counts on which a paired excess rests. Raises ValueError where they do not pair up."""
    first, second, n = discordant(tested, control)
    return {TESTED_ONLY: (first, n), CONTROL_ONLY: (second, n)}


def excess(counts: Counts) -> Excess:
    """The effect beyond its control; baselines that both share cancel out."""
    if TESTED_ONLY in counts:
        (first, n), (second, _) = counts[TESTED_ONLY], counts[CONTROL_ONLY]
        both = Discordant(first, second, n)
        return Excess(paired_difference(both), paired_p(both))
    cells = effect_cells(counts) + control_cells(counts, -1.0)
    return Excess(contrast(cells), p_value(cells))


def effect_cells(counts: Counts) -> list[Cell]:
    """The tested share, minus its baseline's where there is one."""
    return _cells(counts, "tested", "baseline", 1.0)


def control_cells(counts: Counts, weight: float = 1.0) -> list[Cell]:
    """The same of the control."""
    return _cells(counts, "control", "control baseline", weight)


def verdict_of(effect: Estimate, beyond: Estimate, q: float) -> Answer:
    """Whether a claim of an effect stands that matters by itself and beyond its control."""
    if beyond.low > 0 and min(effect.value, beyond.value) >= MATTERS and q <= LEVEL:
        return "yes"
    return "no" if min(effect.high, beyond.high) < MATTERS else "undetermined"


def suspected(counts: Counts) -> bool:
    """Whether a claim would stand alone, uncorrected: reason enough to look for what carries it."""
    beyond = excess(counts)
    return verdict_of(contrast(effect_cells(counts)), beyond.estimate, beyond.p) == "yes"


def as_verdict(finding: AuditFinding, number: int) -> Verdict:
    """What the finding says of the hypothesis under this number."""
    return Verdict.model_validate(
        {
            "hypothesis": number,
            "outcome": TOLD[finding.verdict],
            "experiments": finding.evidence,
            "effect": finding.excess,
            "ci": finding.excess_ci,
            "because": f"q = {finding.q:.2g} over the findings of the audit",
        }
    )


def summary(found: Sequence[AuditFinding]) -> str:
    """The first paragraph of the report: failings with their sizes, what carries them, and how sure the rest is."""
    failings = [one for one in found if one.kind not in ("necessary", "gate")]
    stands = [one for one in failings if one.verdict == "yes"]
    refuted = sum(one.verdict == "no" for one in failings)
    open_ = len(failings) - len(stands) - refuted
    begun = (
        f"{len(stands)} of {len(failings)} suspected failings {_were(len(stands))} found"
        if stands
        else f"None of {len(failings)} suspected failings was found"
    )
    told = [
        f"{begun}; {refuted} {_were(refuted)} refuted, {open_} {'remains' if open_ == 1 else 'remain'} open."
    ]
    told += [f"{one.claim} ({_points(one)})." for one in stands]
    gates = [_gated(one) for one in found if one.kind == "gate"]
    return " ".join(filter(None, [*told, _carriers(found), *gates, _unsure(failings)]))


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _points(one: AuditFinding) -> str:
    low, high = (round(100 * end) for end in one.ci)
    return f"{100 * one.effect:+.0f} points, 95 % {low:+d} to {high:+d}; control {100 * one.control:+.0f}"


def _carriers(found: Sequence[AuditFinding]) -> str:
    """For how many failings the components were named, and whether these did better than random ones."""
    searched = [one for one in found if one.kind == "necessary"]
    if not searched:
        return ""
    held = sum(one.verdict == "yes" for one in searched)
    return (
        f"For {len(searched)} of them components were named that carry it; silencing them did more than silencing "
        f"random ones for {held}, on pictures that the search had not seen."
    )


def _gated(one: AuditFinding) -> str:
    """What withholding answers is worth: no failing of the model."""
    sure = {
        "yes": "Withholding answers whose maps miss the thing helps",
        "no": "Withholding answers whose maps miss the thing does not help",
    }
    told = sure.get(one.verdict, "Whether withholding answers whose maps miss the thing helps is open")
    return f"{told}: of those withheld {one.effect:.0%} are wrong, of those given {one.control:.0%} (n = {one.n})."


def _unsure(found: Sequence[AuditFinding]) -> str:
    """What an open suspicion may still amount to, so that nobody takes it for an acquittal."""
    left = [one for one in found if one.verdict == "undetermined"]
    if not left:
        return ""
    most = max(min(one.ci[1], one.excess_ci[1]) for one in left)
    fewest = min(one.n for one in left)
    return f"Open is no acquittal: with {fewest} pictures an effect of up to {100 * most:.0f} points can't be excluded."


def _cells(counts: Counts, name: str, baseline: str, weight: float) -> list[Cell]:
    cells = [Cell(weight, *counts[name])]
    if baseline in counts:
        cells.append(Cell(-weight, *counts[baseline]))
    return cells


def _finding(one: Counted, beyond: Excess, q: float) -> AuditFinding:
    effect, control = contrast(effect_cells(one.counts)), contrast(control_cells(one.counts))
    found, claimed = beyond.estimate, one.claimed
    verdict = verdict_of(effect, found, q)
    shares = {name: _share(*count) for name, count in one.counts.items()}
    return AuditFinding(
        topic=claimed.topic,
        name=claimed.name,
        claim=claimed.claim,
        kind=claimed.kind,
        verdict=verdict,
        effect=effect.value,
        ci=(effect.low, effect.high),
        n=effect.n,
        unit=claimed.unit,
        control=control.value,
        control_ci=(control.low, control.high),
        control_is=claimed.control_is,
        excess=found.value,
        excess_ci=(found.low, found.high),
        p=beyond.p,
        q=q,
        refuted=(f"{claimed.rival}: the control is {control.value:+.1%}",) if verdict == "yes" else (),
        shows_not=claimed.shows_not,
        components=claimed.components,
        numbers={**shares, **one.numbers},
        evidence=one.evidence,
    )


def _share(successes: int, n: int) -> Quantity:
    found = wilson(successes, n)
    return Quantity(value=found.value, unit="share", ci=(found.low, found.high), n=n)
