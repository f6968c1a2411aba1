"""What the words on a page mean: statuses, claims, outcomes, decisions, each with the glyph that stands for it.

A glyph's shape carries what its color does. Definitions are those of the scoring protocol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reports.numbers import counted, number, score, score_interval
from reports.plots import Histogram
from reports.record import Named
from reports.summary import Tally
from reports.transcript import TurnTaken
from store.records import HEAD_CLAIMS, Claim, Quantity, Score
from store.views import Proposed


class Word(NamedTuple):
    """A word, the name of its glyph, and what it means in a sentence."""

    word: str
    glyph: str
    meaning: str


STATUS: Mapping[str, Word] = {
    "verified": Word(
        "verified",
        "full",
        "On pictures that nobody had looked at, these words predict what the component does.",
    ),
    "unverified": Word(
        "unverified",
        "half",
        "These words are the best that was found; on held-out pictures they do not predict well enough.",
    ),
    "abstained": Word("abstained", "empty", "Nothing stable was found to say about this component."),
    "failed": Word("failed", "cross", "An error ended the work on this component."),
    "pending": Word("pending", "dots", "This component is not described yet."),
}

CLAIM: Mapping[str, str] = {
    "selective": "Does it respond to the concept more than to anything else?",
    "learned": "More selective than units of untrained copies, so that training put it there?",
    "necessary": "Does removing it change what the model says about the concept?",
    "sufficient": "Does adding it make the model say the concept?",
    "unused": "Is its effect on the answers shown to be negligible?",
    "reads": "Does this head attend to this class of tokens?",
    "writes": "Does what it writes push towards these answers?",
    "when_cut": "Do answers of this kind suffer when it is cut, and others not?",
}

ANSWER: Mapping[str, Word] = {
    "yes": Word("yes", "full", "shown"),
    "no": Word("no", "empty", "shown not to hold"),
    "undetermined": Word("undetermined", "half", "the interval allows both"),
}

OUTCOME: Mapping[str, Word] = {
    "supports": Word("supported", "full", "the effect lies where it was predicted"),
    "contradicts": Word("refuted", "cross", "the refuting result came out"),
    "inconclusive": Word("undecided", "half", "the interval allows both"),
    "": Word("untested", "dots", "no experiment has been held against it"),
}

SCORE: Mapping[str, str] = {
    "pearson": "Pearson ρ",
    "auprc": "AUPRC",
    "f1": "F1",
    "iou": "IoU",
    "p_concept_given_active": "P(concept | active)",
    "p_active_given_concept": "P(active | concept)",
    "reads": "reads (AUPRC)",
    "writes": "writes (sign accuracy)",
    "when_cut": "when cut (drop)",
    "hard_negatives": "hard negatives (sign accuracy)",
    "off_target": "moved off target (share)",
    "generation": "made pictures active (share)",
    "places": "places (AUPRC)",
    "near_misses": "near misses (percentile)",
}

QUANTITY: Mapping[str, str] = {"pearson": "Pearson ρ", "auprc": "AUPRC", "auroc": "AUROC"}
"""Quantities that are not called by their identifiers."""

VERIFIED_FROM = 0.3
"""A label is verified when the lower end of its test ρ lies above this."""

DECISION: Mapping[str, str] = {
    "program": "wrote a program",
    "conclusion": "concluded",
    "reply": "answered",
    "abstention": "abstained",
    "ended": "was ended by the loop",
    "crashed": "was ended by an error",
}


def standing(proposed: Proposed) -> str:
    """The outcome of the last verdict; empty before the first."""
    return proposed.verdicts[-1].outcome if proposed.verdicts else ""


def phrase(name: str) -> str:
    """An identifier as words: `firing_rate` → `firing rate`."""
    return name.replace("_", " ")


def quantity(name: str) -> str:
    return QUANTITY.get(name, phrase(name))


def significance(score: Score) -> str:
    """`p < .001, q = .012`, or as much of that as was computed."""
    told = (("p", score.p), ("q", score.q))
    return ", ".join(f"{name} {_chance(value)}" for name, value in told if value is not None)


def _chance(value: float) -> str:
    return "< .001" if value < 0.001 else f"= {value:.3f}".replace("0.", ".")


def threshold(name: str, score: Score) -> float | None:
    """The threshold that this score is held against, if any."""
    return VERIFIED_FROM if name == "pearson" and score.split == "test" else None


def sample(quantity: Quantity) -> str:
    return f"n = {quantity.n:,}" if quantity.n is not None else ""


TAIL: Mapping[str, str] = {
    "top": "Highest",
    "neighbour": "Look-alikes that leave it quiet",
    "quantile": "From the quantiles between",
    "zero": "About zero",
    "bottom": "Lowest",
    "picture": "Made to order",
    "seen": "What the planner asked to see",
    "missed": "Active without the concept",
    "false": "Quiet in spite of the concept",
    "before": "Before",
}


def finding(test: Score) -> str:
    """What the primary score says, as a sentence."""
    on = counted(test.n, "sealed stimulus", "sealed stimuli")
    where = f"ρ = {score(test.value)} {score_interval(test.ci)} on {on}"
    held = (
        f"its lower end lies above {score(VERIFIED_FROM)}"
        if test.ci[0] > VERIFIED_FROM
        else f"its lower end does not clear {score(VERIFIED_FROM)}"
    )
    if test.null is None:
        return f"{where}: {held}; no untrained copies to compare with."
    beats = "and beats" if test.value > test.null else "and does not beat"
    return f"{where}: {held}, {beats} what untrained copies reach ({score(test.null)})."


def spread(histogram: Histogram) -> str:
    """Where most values lie, and where the rare ones: read off the bins."""
    half, rare = (edge_below(histogram, share) for share in (0.5, 0.99))
    return f"Half of the values lie below {number(half)}, one in a hundred above {number(rare)}"


def edge_below(histogram: Histogram, share: float) -> float:
    """The value that `share` of all lie below, as if values were spread evenly within a bin."""
    wanted, seen = share * histogram.total, 0
    for low, high, count in zip(histogram.edges, histogram.edges[1:], histogram.counts, strict=False):
        if count and seen + count >= wanted:
            return low + (high - low) * (wanted - seen) / count
        seen += count
    return histogram.edges[-1]


def headline(whole: Tally) -> str:
    """What a run found, as a title."""
    if not whole.total:
        return "Experiments that belong to no component"
    passed = f"{whole.counts['verified']} of {counted(whole.total, 'component')}"
    return f"{passed} described in words that passed the sealed test"


def did(turn: TurnTaken) -> str:
    """What a turn was, as a heading."""
    if turn.kind != "calls":
        return DECISION.get(turn.kind, phrase(turn.kind))
    parts = [
        f"judged {counted(len(turn.judged), 'hypothesis', 'hypotheses')}" if turn.judged else "",
        f"proposed {counted(len(turn.proposed), 'hypothesis', 'hypotheses')}" if turn.proposed else "",
        f"asked for {counted(len(turn.calls), 'experiment')}" if turn.calls else "",
    ]
    return ", ".join(filter(None, parts)) or "said nothing to act on"


def scores_in_order(scores: Sequence[Named]) -> list[Named]:
    """The primary score first, and what was sealed before what was seen."""
    places = {name: place for place, name in enumerate(SCORE)}
    return sorted(scores, key=lambda one: (places.get(one.name, len(places)), one.score.split != "test"))


def blind(name: str, scores: Sequence[Named]) -> str:
    """What the sealed test says of a claim about a head, as a sentence; empty where it was not scored."""
    if name not in HEAD_CLAIMS:
        return ""
    for one in scores:
        if (one.name, one.score.split) == (name, "test"):
            null = "" if one.score.null is None else f", null {score(one.score.null)}"
            told = f"{score(one.score.value)} {score_interval(one.score.ci)}{null}, n = {number(one.score.n)}"
            return f"on the sealed test {told}"
    return ""


def in_order(claims: Mapping[str, Claim | None]) -> list[tuple[str, Claim | None]]:
    """Claims in the order in which they are read, those of other names last."""
    places = {name: place for place, name in enumerate(CLAIM)}
    return sorted(claims.items(), key=lambda one: places.get(one[0], len(places)))
