"""What of a long record stands open on a page, and what is one line until it is asked for.

Open is what the description leans on and whatever speaks of the very concept that was described. Nothing is left out:
a line opens to the whole card. Knows the record; knows nothing about how lines look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from reports.numbers import counted, estimate
from reports.record import Thread, cited
from reports.shapes import quantities
from reports.transcript import TurnTaken
from reports.words import OUTCOME, phrase, standing
from store.records import Experiment, Quantity
from store.views import Proposed

FEWEST = 3
"""Cards that are worth a fold."""
MOST_ROWS = 8
"""Rows of a card's further drawings and tables that are seen without being asked for."""
MOST_LINES = 24
"""Lines of a transcript that is read without being asked for."""
HEADLINES = ("effect", "pearson")
"""Quantities that say alone what an experiment found, the first of them before the others."""


Card = TypeVar("Card", Proposed, Experiment)


class Measure(NamedTuple):
    """The number of a line, with its interval, and the control's; either may be empty."""

    told: str = ""
    control: str = ""


@dataclass(frozen=True)
class Split(Generic[Card]):
    """Cards that stand open, and those behind lines."""

    open: Sequence[Card]
    folded: Sequence[Card]


def hypotheses(thread: Thread) -> Split[Proposed]:
    """Those of the described concept, and those whose verdicts stand on what the description cites, are open."""
    if thread.description is None:
        return Split(thread.proposed, ())
    concept, leaned_on = thread.description.concept, cited(thread.description, ())
    ahead = {
        one.number
        for one in thread.proposed
        if (concept and one.hypothesis.concept == concept)
        or any(leaned_on & set(verdict.experiments) for verdict in one.verdicts)
    }
    return _split(thread.proposed, ahead)


def experiments(thread: Thread) -> Split[Experiment]:
    """Those that the description or an open hypothesis cites are open; all are where nothing was described."""
    if thread.description is None:
        return Split(thread.shown, ())
    return _split(thread.shown, cited(thread.description, tuple(hypotheses(thread).open)))


def told_hypotheses(folded: Sequence[Proposed]) -> str:
    """`21 further hypotheses: 14 supported, 5 refuted, 2 undecided`."""
    counts = Counter(standing(one) for one in folded)
    ended = ", ".join(f"{counts[name]} {word.word}" for name, word in OUTCOME.items() if counts[name])
    return f"{counted(len(folded), 'further hypothesis', 'further hypotheses')}: {ended}"


def told_experiments(folded: Sequence[Experiment]) -> str:
    """`26 further experiments: 20 activations, 6 unexplained`."""
    counts = Counter(phrase(one.tool) for one in folded)
    tools = ", ".join(f"{n} {tool}" for tool, n in counts.most_common())
    return f"{counted(len(folded), 'further experiment')}: {tools}"


def told_turns(turns: Sequence[TurnTaken]) -> str:
    """`10 turns: 25 hypotheses, 34 calls`."""
    proposed, calls = (
        sum(map(len, parts)) for parts in zip(*((t.proposed, t.calls) for t in turns), strict=True)
    )
    return f"{counted(len(turns), 'turn')}: {counted(proposed, 'hypothesis', 'hypotheses')}, {counted(calls, 'call')}"


def is_long(turns: Sequence[TurnTaken]) -> bool:
    lines = sum(1 + len(turn.proposed) + len(turn.judged) + len(turn.calls) for turn in turns)
    return lines > MOST_LINES


def measure(experiment: Experiment) -> Measure:
    """What it found, if one number says that."""
    found = quantities(experiment.result)
    name = next((name for name in HEADLINES if name in found), "")
    return _measure(found[name], name) if name else Measure()


def verdict(proposed: Proposed, shown: Sequence[Experiment]) -> Measure:
    """The effect of the last verdict, with the control of the quantity that was predicted."""
    if not proposed.verdicts:
        return Measure()
    last = proposed.verdicts[-1]
    measured = (
        quantities(one.result).get(proposed.hypothesis.quantity)
        for one in shown
        if one.number in last.experiments
    )
    control = next((one.control for one in measured if one is not None), None)
    return Measure(estimate(last.effect, last.ci), estimate(control) if control is not None else "")


def _measure(quantity: Quantity, name: str) -> Measure:
    unit = "ρ" if name == "pearson" else quantity.unit
    told = estimate(quantity.value, quantity.ci)
    control = estimate(quantity.control) if quantity.control is not None else ""
    return Measure(f"{unit} {told}" if name == "pearson" else f"{told} {unit}".strip(), control)


def _split(cards: Sequence[Card], ahead: set[int] | frozenset[int]) -> Split[Card]:
    folded = [card for card in cards if card.number not in ahead]
    if len(folded) < FEWEST:
        return Split(cards, ())
    return Split([card for card in cards if card.number in ahead], folded)
