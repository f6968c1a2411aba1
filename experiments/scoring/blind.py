"""The blind test of a run: every frozen description that has not been tested, against a judge that sees no activation.

Puts together what the protocol needs (values on `test`, the scorer's judge, the null) and writes what comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from experiments.scoring.classes import class_of, searched
from experiments.scoring.head_test import HeadTest, testable
from experiments.scoring.judged import Judged
from experiments.scoring.null import PICTURES, Null, untrained_null
from experiments.scoring.parts import best_part, searched_parts
from experiments.scoring.protocol import PRIMARY, Scored, Subject, score
from experiments.scoring.sampled import score_sampled
from experiments.scoring.seal import is_tested, record
from store.address import parse
from store.database import Store
from store.records import Description
from tools.budget import Budget
from tools.pools import side
from tools.scoring.concept import read

if TYPE_CHECKING:
    from experiments.workplace import Workplace

SHIPPED = Path(__file__).resolve().parent.parent / "tableau" / "results"
"""Nulls of the embedded targets that come with the checkout."""


def score_frozen(workplace: Workplace, run: str) -> None:
    """Scores what is frozen and concluded and not yet tested, all in one go; abstentions are left as they are.

    q is p corrected for every component that the run has frozen by then, silent ones too. A run that is done in several
    batches (`--limit`) is a growing family: what is written stands, and each batch counts all before it.
    """
    store, world = workplace.store, workplace.world
    waiting = [
        one
        for one in store.queries.descriptions(run, test=True)
        if one.status not in ("abstained", "failed") and not is_tested(store, run, one.component)
    ]
    if not waiting:
        return
    workplace.prepare_test([parse(one.component) for one in waiting])
    judged = Judged(
        world.scorer_judge, world.test, name=world.scorer_judge_name, folder=workplace.cache / "judged"
    )
    wanted = int(store.queries.run(run).arguments.get("judged") or 0)
    null = _null(workplace, waiting, wanted)
    subjects = [_subject(one, one.concept, null) for one in waiting]
    stimuli = [world.test.asked(number) for number in range(len(world.test))]
    values = np.stack(
        [
            side(workplace.activations.pooled([parse(one.component)], stimuli), one.reading)[:, 0]
            for one in subjects
        ],
        axis=1,
    )
    scoring = _scoring(wanted, len(judged))
    scored = scoring(
        subjects,
        values,
        judged,
        vocabulary=world.describer.vocabulary(),
        planner_judge=world.judge_name,
        others=rest_of_family(store, run, [one.component for one in waiting]),
        seed=workplace.seed,
    )
    found = _score_parts(workplace, scored, values, judged, null, scoring)
    parts = {one.subject.component: one for one in found}
    asked = {one.component for one in waiting}
    frozen = {one.component: one for one in store.queries.descriptions(run) if one.component in asked}
    heads = HeadTest(workplace.context(Budget()), world.test) if any(map(testable, frozen.values())) else None
    for done, one in enumerate(scored):
        words = frozen[one.subject.component]
        if heads is None or not testable(words):
            record(store, run, one, part=parts.get(words.component))
        else:
            workplace.progress("claims of heads on test", done, len(scored))
            record(store, run, one, heads.of(words), parts.get(words.component))


def _scoring(wanted: int, pictures: int) -> Callable[..., list[Scored]]:
    """How a run scores: with a judge that sees all pictures, or about so many of them; 0 means all."""
    return partial(score_sampled, wanted=wanted) if 0 < wanted < pictures else score


def rest_of_family(store: Store, run: str, waiting: Collection[str]) -> list[float]:
    """p of each component of the run that is not scored now: 1 where nothing was said, or no p was kept."""
    frozen = store.queries.descriptions(run, test=True)
    scores = [one.scores.get(PRIMARY) for one in frozen if one.component not in waiting]
    return [1.0 if score is None or score.p is None else score.p for score in scores]


def _score_parts(
    workplace: Workplace,
    scored: list[Scored],
    values: Float[np.ndarray, "stimulus subject"],
    judged: Judged,
    null: Null,
    scoring: Callable[..., list[Scored]],
) -> list[Scored]:
    """Of accurate concepts of several phrases the part that exceeds its null most on select, scored on test."""
    world = workplace.world
    on_select = Judged(
        world.scorer_judge, world.select, name=world.scorer_judge_name, folder=workplace.cache / "judged"
    )
    stimuli = [world.select.asked(number) for number in range(len(world.select))]
    subjects, columns = [], []
    for place, one in enumerate(scored):
        subject = one.subject
        parts = searched_parts(read(subject.concept))
        if one.status != "verified" or parts in ([], [subject.concept]):
            continue
        bars = {part: _subject(subject, part, null) for part in parts}
        seen = side(workplace.activations.pooled([parse(subject.component)], stimuli), subject.reading)[:, 0]
        subjects.append(bars[best_part(parts, seen, on_select, lambda part, bars=bars: bars[part].null)])  # type: ignore[misc]
        columns.append(place)
    return scoring(subjects, values[:, columns], judged, seed=workplace.seed) if subjects else []


def _subject(of: Description | Subject, concept: str, null: Null) -> Subject:
    """A concept of a component, with what untrained units of its site reach."""
    bar = null.threshold(parse(of.component), of.reading, concept, class_of)
    return Subject(of.component, of.reading, concept, bar)


def _null(workplace: Workplace, waiting: list[Description], wanted: int) -> Null:
    """What untrained units reach at the sites of all that is scored, on the world's reference pictures.

    A run whose judge sees fewer pictures has a null of no more of them: chance reaches higher there, not lower.
    """
    world = workplace.world
    judged = Judged(
        world.scorer_judge, world.reference, name=world.scorer_judge_name, folder=workplace.cache / "judged"
    )
    return untrained_null(
        workplace.target,
        [(parse(one.component), one.reading.scope) for one in waiting],
        judged,
        searched(world),
        class_of,
        extent=workplace.extent,
        folder=workplace.cache / "null",
        shipped=(SHIPPED,),
        pictures=min(PICTURES, wanted or PICTURES),
        say=lambda line: workplace.progress(line, 0, 1),
    )
