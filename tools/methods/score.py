"""`score_description`: how well words predict a component on pictures that the planner never saw, asked at most thrice.

The select split with the planner's own judge; the sealed test is another judge's, and out of reach here. Rounded, so
that a planner can't climb the score step by step.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from store.address import Address
from store.errors import PlannerError
from store.records import Quantity, Reading, Split
from tools.context import ToolContext
from tools.methods.piles import presence
from tools.methods.showing import Component
from tools.methods.values import values
from tools.scoring.bootstrap import resampled, resamples
from tools.scoring.correlation import pearson
from tools.scoring.retrieval import active, auprc
from tools.tool import Arguments, Result, tool

CALLS = 3
"""Scores that a component may have in a run."""
OTHER_THREADS = ("question", "direct")
DIGITS = 1
DRAWS = 500


class ScoreDescriptionArguments(Arguments):
    component: Component
    reading: Reading = Reading()
    concept: Annotated[
        str,
        Field(
            min_length=1, max_length=200, description="Phrases joined by `|`, `&`, `!`: `red star | moon`."
        ),
    ]


class ScoredDescription(Result):
    """`asked` counts this call and the earlier ones."""

    measured_on: ClassVar[Split] = "select"
    component: str
    reading: Reading
    concept: str
    asked: int


@tool
def score_description(context: ToolContext, arguments: ScoreDescriptionArguments) -> ScoredDescription:
    """How well a concept predicts a component over the whole select split, judged by the planner's judge.

    Pearson correlation of presence with value, and AUPRC of presence for the most active 5 %; rounded to a tenth. Three
    calls for each component: keep them for concepts that survived other tests. The sealed test comes after the text.
    """
    address = context.address(arguments.component)
    before = _earlier(context, address)
    if before >= CALLS:
        raise PlannerError(
            f"`{address}` has been scored {CALLS} times, and no more is allowed",
            kind="score_limit",
            hint="conclude with the concept that scored best",
        )
    stimuli = [context.select.asked(number) for number in range(len(context.select))]
    held = presence(context, arguments.concept, stimuli)[:, None]
    measured = values(context, [address], arguments.reading, stimuli)
    drawn = resamples(range(len(stimuli)), draws=DRAWS, seed=context.derived_seed(address, "score"))
    rho = resampled(pearson(measured, held, drawn.weights), drawn).estimates()[0]
    truth = active(measured) & held.any(axis=0)
    area = resampled(auprc(truth, held, drawn.weights), drawn).estimates()[0]
    quantities = {
        name: Quantity(
            value=round(found.value, DIGITS),
            unit=unit,
            ci=(round(found.low, DIGITS), round(found.high, DIGITS)),
            n=found.n,
            control=control,
        )
        for name, found, unit, control in (
            ("pearson", rho, "correlation", 0.0),
            ("auprc", area, "average precision", round(float(np.mean(active(measured))), DIGITS)),
        )
    }
    left = CALLS - before - 1
    return ScoredDescription(
        component=str(address),
        reading=arguments.reading,
        concept=arguments.concept,
        asked=before + 1,
        quantities=quantities,
        summary=(
            f"{address}, {arguments.reading}, `{arguments.concept[:120]}` on {len(stimuli)} select pictures: Pearson "
            f"{quantities['pearson'].value:.1f}, AUPRC {quantities['auprc'].value:.1f}; {left} of {CALLS} scores left."
        ),
    )


def _earlier(context: ToolContext, address: Address) -> int:
    """Scores of this component that the run has on record: in its own thread, this one, and those of no component."""
    if context.turn is None:
        return 0
    threads = dict.fromkeys((str(address), context.turn.thread, *OTHER_THREADS))
    recorded = [
        one for thread in threads for one in context.store.queries.experiments(context.turn.run, thread)
    ]
    return sum(
        one.tool == "score_description" and one.arguments.get("component") == str(address) for one in recorded
    )
