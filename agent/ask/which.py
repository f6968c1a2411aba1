"""Which components read, carry or write a concept: found by one search, told with what stood and what did not."""

from __future__ import annotations

from typing import Any

from agent.ask.answer import Answer, cited, listed, row, told
from agent.ask.asking import Asking, quantity
from agent.ask.questions import Which
from store.records import AnswerRow, Experiment, Quantity

RANDOM = "random components"
SMALL = 0.05
"""Share of the gap below which a single component is said to carry nothing."""


def which(asking: Asking, question: Which) -> Answer:
    """Those that stood on other pairs. No where all that could be large was tested and is surely small; not known where
    nothing stood and something could still be large."""
    found = asking.measure(
        "find_components", concept=question.concept, role=question.role, among=question.among
    )
    stood = [one for one in found.result["found"] if one["verified"]]
    rows = tuple(_row(one, found, question) for one in _ordered(found.result["found"]))
    searched, verified = quantity(found, "searched"), quantity(found, "verified")
    receipt, names = cited([found]), (question.concept,)
    if not stood and question.role != "reads" and (largest := _all_small(found)) is not None:
        text = (
            f"None of the {searched.value:.0f} {question.parts} does so by itself: no share that they restore or cost "
            f"lies surely beyond {told(largest)}, and the search attributes no more to any other {receipt}."
        )
        return Answer(text, "", "no", (), rows, names=names)
    if not stood:
        reason = (
            f"none of the {verified.n} that came first among {searched.value:.0f} {question.parts} stood "
            f"when they were tested on other pairs {receipt}."
        )
        return Answer("", reason, rows=rows, names=names)
    read = question.role == "reads"
    best = _ordered(stood)
    text = (
        f"{verified.value:.0f} of the {verified.n} {question.parts} that came first among {searched.value:.0f} "
        f"stood when they were tested on other pairs: {listed([one['component'] for one in best])} {receipt}. "
    )
    text += _read(best[0], found) if read else _carried(best[0], found, question)
    return Answer(text, "", "yes", tuple(one["component"] for one in best), rows, names=names)


def _all_small(found: Experiment) -> Quantity | None:
    """The largest share that any component may have, where it is below SMALL of the gap; None where one may have more.

    Every interval counts that exact patching gave, and of the others what the search attributes to the first of them.
    """
    largest = quantity(found, "largest")
    return largest if largest.value < SMALL else None


def _read(best: dict[str, Any], found: Experiment) -> str:
    name = best["component"]
    effect = quantity(found, f"effect {name}")
    words = (
        f"{name} rises most, {best['reading']}, by {told(effect, control=RANDOM)} sd where it is added to a picture "
        f"{cited([found])}. "
    )
    area = found.result["quantities"].get(f"auroc {name}")
    if area:
        words += f"Its AUROC over pictures is {told(Quantity.model_validate(area))} {cited([found])}. "
    return words + f"That it responds does not say that anything uses it {cited([found])}."


def _carried(best: dict[str, Any], found: Experiment, question: Which) -> str:
    name, receipt = best["component"], cited([found])
    denoising, noising = quantity(found, f"denoising {name}"), quantity(found, f"noising {name}")
    agreement = quantity(found, "agreement")
    where = "at the answer position alone " if question.role == "writes" else ""
    words = (
        f"Moved {where}from a picture with it into one without, {name} restores a share of "
        f"{told(denoising, control=RANDOM)} of the gap between the two answers; the other way round it costs "
        f"{told(noising, control=RANDOM)} {receipt}. "
        f"The search ranks as exact patching does with a rank correlation of {told(agreement)} over {agreement.n} "
        f"components {receipt}."
    )
    if found.result["warnings"]:
        words += f" To be distrusted: {found.result['warnings'][0]} {receipt}."
    return words


def _ordered(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What stood first, and by the larger of the two effects."""
    return sorted(found, key=lambda one: (not one["verified"], -max(one["effect"], one["lost"] or 0.0)))


def _row(one: dict[str, Any], found: Experiment, question: Which) -> AnswerRow:
    name = one["component"]
    if question.role == "reads":
        reading = f"rise with it, {one['reading']}"
        return row(
            name, reading, quantity(found, f"effect {name}"), found, one["verified"] or "did not stand"
        )
    restored, lost = quantity(found, f"denoising {name}"), quantity(found, f"noising {name}")
    said = one["verified"] or "did not stand"
    if restored.value >= lost.value:
        return row(name, "share restored", restored, found, said)
    return row(name, "share lost without it", lost, found, said)
