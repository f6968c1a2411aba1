"""How the built-in planner goes about a component: guess, compare, combine, widen, break, look closer, cut, conclude.

Each turn is decided from the record alone. A phrase is believed when pictures that hold it excite the component more
than others do, and when adding just that thing moves it where that should decide; everything else is left unsaid. A
head is active where it writes; where it looks and which answers fail without it are claims of their own.
"""

from __future__ import annotations

from agent.builtin.calls import call, called_so_far
from agent.builtin.candidates import candidates, comparisons, parts, reading_of, unions, varied
from agent.builtin.claims import claims
from agent.builtin.closer import PAIRS, look_closer
from agent.builtin.predictions import (
    best_scored,
    confidence,
    favorite_of,
    pair_prediction,
    prediction,
    select_pearson,
    standing,
    verdicts_due,
)
from agent.builtin.pushing import push
from agent.builtin.telling import facets, tell
from agent.builtin.variants import deciding, pairs_of, variants
from agent.builtin.without import WHOLE, Without
from agent.decision import Abstention, Call, Calls, Conclusion, Decision
from agent.thread import ThreadView
from store.records import Reading, Verdict
from tools.scoring.normal import canonical
from tools.scoring.plain import label

COMPARED = 6
"""Phrases that are compared on pictures at once."""
ENOUGH = 0.3
"""Score on the select split below which nothing is claimed."""
OPENING, ROUNDS = 3, 4
"""Turns before a favorite is widened, and turns that this may take."""
PICTURES = 1024
"""Pictures of a comparison, at most; a run has measured them ahead."""


def decide(view: ThreadView, without: Without = WHOLE) -> Decision:
    """The next decision, of a method that lacks some parts."""
    turns = [turn.decision for turn in view.decided]
    if view.finish_now or (turns and isinstance(turns[-1], Calls) and not turns[-1].calls):
        return conclude(view)
    called = {call.tool for call in called_so_far(view)}
    if "ablate" in called:
        return conclude(view) if "steer" in called else add(view)
    if "score_description" in called:
        return look_closer(view) or cut(view, without)
    if len(turns) < OPENING - 1:
        return compare(view) if turns else survey(view)
    return combine(view, without) if len(turns) < OPENING else widen(view, without)


def survey(view: ThreadView) -> Decision:
    """What excites the component, at both ends and over every kind of token that it has."""
    scopes = ("visual",) if view.component.tower == "vision" else ("visual", "question", "answer")
    signs = "+" if view.component.part == "head" else "+-"
    readings = [Reading.model_validate({"sign": sign, "scope": scope}) for scope in scopes for sign in signs]
    more = (call("attention", view),) if view.component.part == "head" else ()
    return Calls(
        thought="Both ends of the component, described blindly, give phrases that may be what it stands for.",
        calls=(*(call("describe", view, reading=reading.model_dump()) for reading in readings), *more),
    )


def compare(view: ThreadView) -> Decision:
    """The best phrases compete on pictures that hold them and pictures that do not."""
    found = candidates(view)
    if not found and not view.experiments and view.notes:
        return Abstention(reason=f"Nothing could be measured: {view.notes[-1].text}"[:2000])
    if not found:
        return Abstention(reason="No phrase tells the pictures that excite it from those that do not.")
    best = found[0].reading
    chosen = varied([one for one in found if one.reading == best], COMPARED - 1)
    chosen += parts(view, chosen)
    chosen += [one for one in found if one.reading != best][:1]
    return Calls(
        thought=f"`{chosen[0].concept}` sets active pictures apart best ({best}); the runners-up compete with it.",
        propose=tuple(prediction(one.concept, one.reading) for one in chosen),
        calls=(
            call("top_exemplars", view, reading=best.model_dump()),
            *(_compare(view, one.concept, one.reading) for one in chosen),
        ),
    )


def combine(view: ThreadView, without: Without) -> Decision:
    """Verdicts on single phrases; the best ones are tried together, and the best is asked what it leaves open."""
    verdicts = verdicts_due(view)
    found = standing(view, verdicts)
    if not found:
        return _give_up(view, verdicts)
    reading = found[0].reading
    joined = unions(found) if "facets" not in without else []
    asked = [_unexplained(view, found[0].concept, reading)] if "leads" not in without else []
    if not joined and not asked:
        return widen(view, without)
    return Calls(
        thought="Whether the component stands for two things, or for two things together.",
        verdicts=verdicts,
        propose=tuple(prediction(concept, reading) for concept in joined),
        calls=(*(_compare(view, concept, reading) for concept in joined), *asked),
    )


def widen(view: ThreadView, without: Without) -> Decision:
    """What the favorite leaves open becomes its rivals: a further thing, a condition, an exception, a wider word."""
    verdicts = verdicts_due(view)
    favorite = favorite_of(view, verdicts)
    if favorite is None:
        return _give_up(view, verdicts)
    concept, reading = favorite.concept, favorite.reading
    rivals = variants(view, favorite, without)
    open_ = "leads" not in without and all(
        canonical(str(one.arguments["concept"])) != canonical(concept) for one in view.of("unexplained")
    )
    if len(view.decided) >= OPENING + ROUNDS or not (rivals or open_):
        return break_it(view, without)
    return Calls(
        thought=f"`{concept}` predicts best so far: what it leaves open is tried beside it.",
        verdicts=verdicts,
        propose=tuple(prediction(rival, reading) for rival in rivals),
        calls=(
            *(_compare(view, rival, reading) for rival in rivals),
            *((_unexplained(view, concept, reading),) if open_ else ()),
        ),
    )


def break_it(view: ThreadView, without: Without) -> Decision:
    """The favorite is put to tests that it can lose: pairs that differ in one of its phrases where that should decide,
    and pictures never looked at."""
    verdicts = verdicts_due(view)
    favorite = favorite_of(view, verdicts)
    if favorite is None:
        return _give_up(view, verdicts)
    calls, proposed = [], []
    reading = favorite.reading.model_dump()
    if all(reading_of(shown) != favorite.reading for shown in view.of("top_exemplars")):
        calls.append(call("top_exemplars", view, reading=reading))
    for phrase, decided in deciding(favorite.concept) if "pairs" not in without else ():
        proposed.append(pair_prediction(favorite.concept, phrase, decided, favorite.reading))
        calls.append(call("make_pairs", view, reading=reading, concept=phrase, given=decided.given, n=PAIRS))
    rivals = [one for one in standing(view, verdicts) if one.concept != favorite.concept][:1]
    calls += [
        call("score_description", view, reading=one.reading.model_dump(), concept=one.concept)
        for one in (favorite, *rivals)
    ]
    return Calls(
        thought=f"`{favorite.concept}` is the favorite: try to break it, and see how well it predicts.",
        verdicts=verdicts,
        propose=tuple(proposed),
        calls=tuple(calls),
    )


def cut(view: ThreadView, without: Without) -> Decision:
    """Life without the component, once there are words worth it."""
    verdicts = verdicts_due(view)
    best = best_scored(view, verdicts)
    if best is None or select_pearson(best) < ENOUGH:
        return _give_up(view, verdicts) if verdicts else conclude(view)
    if "causal" in without:
        return conclude(view)
    writes = (call("vocabulary_effect", view),) if view.component.tower == "language" else ()
    return Calls(
        thought="Whether any answer needs it, and what it writes.",
        verdicts=verdicts,
        calls=(call("ablate", view), *writes),
    )


def add(view: ThreadView) -> Decision:
    """More of the component, where there is a reason to expect that answers follow it."""
    best = best_scored(view, verdicts_due(view))
    more = push(view, str(best.arguments["concept"]), reading_of(best)) if best is not None else None
    if more is None:
        return conclude(view)
    return Calls(thought="Whether more of it makes the target say so.", calls=(more,))


def conclude(view: ThreadView) -> Decision:
    """The best scored phrase that was never contradicted, or nothing."""
    if any(note.kind == "revision" for note in view.notes):
        return Abstention(reason="The text that was tried did not stand up to its own receipts.")
    best = best_scored(view, verdicts_due(view))
    if best is None:
        return _nothing(view)
    if select_pearson(best) < ENOUGH:
        return Abstention(
            reason=f"The best phrase, `{best.arguments['concept']}`, predicts too little of it: "
            f"{{e{best.number}.pearson}} [e{best.number}]."
        )
    concept, reading = str(best.arguments["concept"]), reading_of(best)
    compared = next(
        (one.experiment for one in comparisons(view) if one.concept == concept and one.reading == reading),
        None,
    )
    if compared is None:
        return _nothing(view)
    pairs = pairs_of(view, concept, reading)
    claimed = claims(view, compared, pairs)
    return Conclusion(
        reading=reading,
        label=label(concept),
        concept=concept,
        text=tell(view, concept, reading, compared, pairs, best, claimed),
        facets=facets(concept, compared, pairs),
        confidence=confidence(best),
        claims=claimed,
        verdicts=verdicts_due(view),
    )


def _compare(view: ThreadView, concept: str, reading: Reading) -> Call:
    return call("activations", view, reading=reading.model_dump(), concept=concept, n=PICTURES)


def _unexplained(view: ThreadView, concept: str, reading: Reading) -> Call:
    return call("unexplained", view, reading=reading.model_dump(), concept=concept, n=PICTURES)


def _give_up(view: ThreadView, verdicts: tuple[Verdict, ...]) -> Decision:
    """Nothing is left; what the experiments said of each hypothesis is put down first."""
    if verdicts:
        return Calls(thought="No phrase is left; the verdicts say why.", verdicts=verdicts)
    return _nothing(view)


def _nothing(view: ThreadView) -> Abstention:
    found = comparisons(view)
    if not found:
        return Abstention(reason="No comparison could be made.")
    best = found[0]
    return Abstention(
        reason=f"No phrase stood its test; the best, `{best.concept}`, makes a difference of "
        f"{{e{best.experiment.number}.effect}} against {{e{best.experiment.number}.effect.control}} for random "
        f"components of the site [e{best.experiment.number}]."
    )
