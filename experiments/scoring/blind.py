"""The blind test of a run: every frozen description that has not been tested, against a judge that sees no activation.

Puts together what the protocol needs (values on `test`, the scorer's judge, the null) and writes what comes of it.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.scoring.classes import class_of, searched
from experiments.scoring.head_test import HeadTest, testable
from experiments.scoring.judged import Judged
from experiments.scoring.null import untrained_null
from experiments.scoring.protocol import PRIMARY, Subject, score
from experiments.scoring.seal import is_tested, record
from store.address import parse
from store.database import Store
from store.records import Description
from tools.budget import Budget
from tools.pools import side

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
    judged = Judged(
        world.scorer_judge, world.test, name=world.scorer_judge_name, folder=workplace.cache / "judged"
    )
    subjects = _with_null(workplace, waiting)
    stimuli = [world.test.asked(number) for number in range(len(world.test))]
    values = np.stack(
        [
            side(workplace.activations.pooled([parse(one.component)], stimuli), one.reading)[:, 0]
            for one in subjects
        ],
        axis=1,
    )
    scored = score(
        subjects,
        values,
        judged,
        vocabulary=world.describer.vocabulary(),
        planner_judge=world.judge_name,
        others=rest_of_family(store, run, [one.component for one in waiting]),
        seed=workplace.seed,
    )
    asked = {one.component for one in waiting}
    frozen = {one.component: one for one in store.queries.descriptions(run) if one.component in asked}
    heads = HeadTest(workplace.context(Budget()), world.test) if any(map(testable, frozen.values())) else None
    for done, one in enumerate(scored):
        words = frozen[one.subject.component]
        if heads is None or not testable(words):
            record(store, run, one)
        else:
            workplace.progress("claims of heads on test", done, len(scored))
            record(store, run, one, heads.of(words))


def rest_of_family(store: Store, run: str, waiting: Collection[str]) -> list[float]:
    """p of each component of the run that is not scored now: 1 where nothing was said, or no p was kept."""
    frozen = store.queries.descriptions(run, test=True)
    scores = [one.scores.get(PRIMARY) for one in frozen if one.component not in waiting]
    return [1.0 if score is None or score.p is None else score.p for score in scores]


def _with_null(workplace: Workplace, waiting: list[Description]) -> list[Subject]:
    """What is scored, each with what untrained units of its site reach on the world's reference pictures."""
    world = workplace.world
    judged = Judged(
        world.scorer_judge, world.reference, name=world.scorer_judge_name, folder=workplace.cache / "judged"
    )
    null = untrained_null(
        workplace.target,
        [(parse(one.component), one.reading.scope) for one in waiting],
        judged,
        searched(world),
        class_of,
        extent=workplace.extent,
        folder=workplace.cache / "null",
        shipped=(SHIPPED,),
        say=lambda line: workplace.progress(line, 0, 1),
    )
    return [
        Subject(
            one.component,
            one.reading,
            one.concept,
            null.threshold(parse(one.component), one.reading, one.concept, class_of),
        )
        for one in waiting
    ]
