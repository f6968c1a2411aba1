"""A closer look: a test by pairs that left its question open is repeated with more pairs, all of them new, once.

Knows which tests are open; knows nothing about what comes of it.
"""

from __future__ import annotations

from agent.builtin.calls import call, called_so_far
from agent.builtin.predictions import favorite_of, is_open, pair_prediction, verdicts_due
from agent.builtin.variants import pairs_of
from agent.decision import Calls, Decision
from agent.thread import ThreadView, quantities

PAIRS, MORE_PAIRS = 24, 72
"""Pairs of a test, and of its repetition, with others, where the first left it open."""


def look_closer(view: ThreadView) -> Decision | None:
    """More pairs, all of them new, where the first ones left it open whether a phrase decides; None where nothing is
    open, where no more came about than were had, or where this was tried."""
    if any(call.arguments.get("skip") for call in called_so_far(view)):
        return None
    verdicts = verdicts_due(view)
    favorite = favorite_of(view, verdicts)
    if favorite is None:
        return None
    wide = [
        one
        for one in pairs_of(view, favorite.concept, favorite.reading)
        if quantities(one.experiment)["effect"].n == one.experiment.arguments["n"]
        and is_open(
            pair_prediction(favorite.concept, one.phrase, one.decides, favorite.reading), one.experiment
        )
    ]
    if not wide:
        return None
    reading = favorite.reading.model_dump()
    return Calls(
        thought="Too few pairs to tell whether "
        + " and ".join(f"`{one.phrase}`" for one in wide)
        + " decides: more.",
        verdicts=verdicts,
        propose=tuple(
            pair_prediction(favorite.concept, one.phrase, one.decides, favorite.reading) for one in wide
        ),
        calls=tuple(
            call(
                "make_pairs",
                view,
                reading=reading,
                concept=one.phrase,
                given=one.decides.given,
                n=MORE_PAIRS,
                skip=PAIRS,
            )
            for one in wide
        ),
    )
