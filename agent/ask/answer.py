"""Answers: words whose every number stands in the experiments that the same sentence cites, or they are not given.

Knows how numbers are put into sentences and what makes a text honest (the same rules as for descriptions); knows
nothing about any kind of question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.receipts import broken_references, foreign_numbers, rounded, uncited
from store.records import AnswerRow, Described, Experiment, Quantity


@dataclass(frozen=True)
class Answer:
    """`text` is empty where the answer is not known; then `reason` says why, with receipts where it leans on any.
    `verdict` and `named` are those of a finding. `names` are phrases of text and reason whose words are no
    measurements."""

    text: str
    reason: str = ""
    verdict: Literal["", "yes", "no"] = ""
    named: tuple[str, ...] = ()
    rows: tuple[AnswerRow, ...] = ()
    described: tuple[Described, ...] = ()
    artifacts: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()


def cited(experiments: Iterable[Experiment]) -> str:
    """`[e3] [e5]`."""
    return " ".join(f"[e{one.number}]" for one in experiments)


def told(quantity: Quantity, *, control: str = "") -> str:
    """`0.18 (0.15 to 0.22; random components 0.02)`: the value, its interval, and what `control` calls its control."""
    parts = []
    if quantity.ci is not None:
        parts.append(f"{rounded(quantity.ci[0])} to {rounded(quantity.ci[1])}")
    if control and quantity.control is not None:
        parts.append(f"{control} {rounded(quantity.control)}")
    return rounded(quantity.value) + (f" ({'; '.join(parts)})" if parts else "")


def row(component: str, measure: str, quantity: Quantity, by: Experiment, said: str = "") -> AnswerRow:
    """A line of the table from one number of an experiment."""
    return AnswerRow(
        component=component,
        value=quantity.value,
        unit=quantity.unit,
        ci=quantity.ci,
        n=quantity.n,
        control=quantity.control,
        control_ci=quantity.control_ci,
        evidence=(by.number,),
        measure=measure,
        told=said,
    )


def check(answer: Answer, experiments: Mapping[int, Experiment]) -> None:
    """Raises RuntimeError for a sentence without a receipt, or a number that none of its receipts holds: our bug."""
    problems = [f"no receipt: {sentence}" for sentence in uncited(answer.text)]
    for words in (answer.text, answer.reason):
        problems += broken_references(words, experiments)
        problems += [
            f"no source of {mark} in: {words}" for mark in foreign_numbers(words, experiments, answer.names)
        ]
    if problems:
        raise RuntimeError(f"an answer says what nothing shows: {problems[0]}")


def listed(words: Sequence[str], most: int = 5) -> str:
    """`a, b and c`; the rest is counted by nobody here: it stands in the table."""
    shown = list(words[:most])
    if len(words) > most:
        return f"{', '.join(shown)} and others"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
