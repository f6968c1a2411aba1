"""What a reader should distrust about a run, counted from its record.

Says only what follows from the rows: whoever judged both sides, what was not tested, what warned, what is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from reports.numbers import counted, score
from reports.record import PENDING, PRIMARY, RunRecord, Thread
from store.records import Score

SHARED = "shared"
"""A judge whose name says this judged for the planner too."""
MOST = 12


@dataclass(frozen=True)
class Distrust:
    """One reason for doubt, in a sentence, and the components that it concerns (up to MOST, then a count)."""

    title: str
    because: str
    threads: tuple[Thread, ...] = ()
    more: int = 0


def distrust(record: RunRecord) -> list[Distrust]:
    """Reasons in the order of their weight."""
    return [*_unfinished(record), *_judged(record), *_scored(record), *_claimed(record), *_warned(record)]


def _unfinished(record: RunRecord) -> Iterator[Distrust]:
    if pending := [thread for thread in record.components if thread.status == PENDING]:
        run = record.run.id
        yield _note(
            f"{counted(len(pending), 'component')} not described yet",
            f"The run ended as “{record.run.status}”. `maieutic label --resume {run}` goes on with them.",
            pending,
        )
    if failed := [thread for thread in record.components if thread.status == "failed"]:
        yield _note(
            f"{counted(len(failed), 'component')} failed",
            "An error ended the work; the reason stands on each page.",
            failed,
        )
    if silent := [thread for thread in record.components if thread.status == "abstained"]:
        yield _note(
            f"{counted(len(silent), 'abstention')}",
            "Nothing stable was found. In any mean over components an abstention counts as a score of 0.",
            silent,
        )
    if lost := [thread for thread in record.threads if thread.lost]:
        yield _note(
            f"{counted(len(lost), 'page')} with lost receipts",
            "Experiments are cited that this store does not hold; what leans on them can't be checked.",
            lost,
        )


def _judged(record: RunRecord) -> Iterator[Distrust]:
    if shared := [thread for thread in record.components if _shared(thread)]:
        yield _note(
            f"Shared judge on {counted(len(shared), 'component')}",
            "One judge served both the planner and the scorer, so its errors can agree with themselves.",
            shared,
        )
    tested = [thread for thread in record.components if thread.test is not None]
    if len(tested) >= 10:
        missed = round(len(tested) * 0.05) or 1
        yield _note(
            f"{len(tested)} intervals at 95 %",
            f"Each is made for its component alone: about {missed} of them will not hold the true value.",
            [],
        )


def _scored(record: RunRecord) -> Iterator[Distrust]:
    low = [thread for thread in record.components if thread.status == "unverified"]
    if low:
        yield _note(
            f"{counted(len(low), 'label')} did not pass the test",
            "They are the best words found, shown with their score; do not rely on them.",
            low,
        )
    described = [thread for thread in record.components if thread.test is not None]
    below = [thread for thread in described if _below_null(thread.test)]
    if below:
        yield _note(
            f"{counted(len(below), 'score')} no better than the null",
            "Untrained copies of the target reach the same: the words may fit without training having put them there.",
            below,
        )
    if bare := [thread for thread in described if thread.test is not None and thread.test.null is None]:
        yield _note(
            f"No null for {counted(len(bare), 'score')}",
            "Without untrained copies to compare with, it is open whether training put anything there.",
            bare,
        )
    gaps = list(filter(None, (_gap(thread) for thread in record.components)))
    if gaps:
        mean = sum(gaps) / len(gaps)
        both = counted(len(gaps), "component has", "components have")
        yield _note(
            f"Select scores were {score(abs(mean))} {'above' if mean >= 0 else 'below'} test scores on average",
            f"Revisions saw the select split only; {both} both scores.",
            [],
        )


def _claimed(record: RunRecord) -> Iterator[Distrust]:
    open_: Counter[str] = Counter(
        name
        for thread in record.components
        for name, claim in thread.claims.items()
        if claim is None or claim.verdict == "undetermined"
    )
    if open_:
        told = ", ".join(f"{name.replace('_', ' ')} ({n})" for name, n in open_.most_common())
        yield _note(
            f"{counted(sum(open_.values()), 'claim')} left undetermined or untested", f"By claim: {told}.", []
        )


def _warned(record: RunRecord) -> Iterator[Distrust]:
    warned: dict[str, dict[str, Thread]] = {}
    count: Counter[str] = Counter()
    for thread in record.threads:
        for _, warning in thread.warnings:
            warned.setdefault(warning, {})[thread.address] = thread
            count[warning] += 1
    for warning, n in count.most_common(8):
        yield _note(f"Warned {counted(n, 'time')}", warning, list(warned[warning].values()))
    if len(count) > 8:
        rest = sum(n for _, n in count.most_common()[8:])
        yield _note(f"{counted(rest, 'further warning')}", "Each stands on the card of its experiment.", [])


def _shared(thread: Thread) -> bool:
    return any(SHARED in score.judge.lower() for _, score in thread.scores)


def _below_null(test: Score | None) -> bool:
    return test is not None and test.null is not None and test.value <= test.null


def _gap(thread: Thread) -> float | None:
    """How far the last select score lies above the test's."""
    select = [one.score.value for one in thread.scores if one.name == PRIMARY and one.score.split == "select"]
    return select[-1] - thread.test.value if select and thread.test is not None else None


def _note(title: str, because: str, threads: list[Thread]) -> Distrust:
    return Distrust(title, because, tuple(threads[:MOST]), max(0, len(threads) - MOST))
