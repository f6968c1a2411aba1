"""How the built-in planner goes about a component: guess, compare, combine, break, cut, conclude.

Six turns, each decided from the record alone. A phrase is believed when pictures that hold it excite the component more
than others do, and when adding or taking away just that thing moves it; everything else is left unsaid. A head is
active where it writes; where it looks and which answers fail without it are claims of their own.
"""

from __future__ import annotations

from agent.builtin.candidates import Compared, candidates, comparisons, parts, reading_of, unions, varied
from agent.builtin.claims import claims
from agent.builtin.telling import facets, named, tell
from agent.decision import Abstention, Call, Calls, Conclusion, Decision
from agent.thread import Stated, ThreadView, quantities
from agent.verdicts import judge
from store.errors import PlannerError
from store.records import Experiment, Hypothesis, Reading, Verdict

COMPARED = 6
"""Phrases that are compared on pictures at once."""
THRESHOLD = 0.4
"""Standard deviations of the component by which a phrase must move it, at least."""
BETTER = 0.03
"""Correlation that a combination must gain over a single phrase."""
ENOUGH = 0.3
"""Score on the select split below which nothing is claimed."""
PAIRS = 24
PICTURES = 1024
"""Pictures of a comparison, at most; a run has measured them ahead."""


def decide(view: ThreadView) -> Decision:
    """The next decision."""
    if view.finish_now or view.step >= 5:
        return conclude(view)
    turn = (survey, compare, combine, break_it, cut)[view.step]
    return turn(view)


def survey(view: ThreadView) -> Decision:
    """What excites the component, at both ends and over every kind of token that it has."""
    scopes = ("visual",) if view.component.tower == "vision" else ("visual", "question", "answer")
    signs = "+" if view.component.part == "head" else "+-"
    readings = [Reading.model_validate({"sign": sign, "scope": scope}) for scope in scopes for sign in signs]
    more = (_call("attention", view),) if view.component.part == "head" else ()
    return Calls(
        thought="Both ends of the component, described blindly, give phrases that may be what it stands for.",
        calls=(*(_call("describe", view, reading=reading.model_dump()) for reading in readings), *more),
    )


def compare(view: ThreadView) -> Decision:
    """The best phrases compete on pictures that hold them and pictures that do not."""
    found = candidates(view)
    if not found:
        return Abstention(reason="No phrase tells the pictures that excite it from those that do not.")
    best = found[0].reading
    chosen = varied([one for one in found if one.reading == best], COMPARED - 1)
    chosen += parts(view, chosen)
    chosen += [one for one in found if one.reading != best][:1]
    return Calls(
        thought=f"`{chosen[0].concept}` sets active pictures apart best ({best}); the runners-up compete with it.",
        propose=tuple(_prediction(one.concept, one.reading) for one in chosen),
        calls=(
            _call("top_exemplars", view, reading=best.model_dump()),
            *(_compare(view, one.concept, one.reading) for one in chosen),
        ),
    )


def combine(view: ThreadView) -> Decision:
    """Verdicts on single phrases; the best two are tried together."""
    verdicts = _verdicts(view)
    found = _standing(view, verdicts)
    if not found:
        return _give_up(view, verdicts)
    joined = unions(found)
    return Calls(
        thought="Whether the component stands for two things, or for two things together.",
        verdicts=verdicts,
        propose=tuple(_prediction(concept, found[0].reading) for concept in joined),
        calls=tuple(_compare(view, concept, found[0].reading) for concept in joined),
    )


def break_it(view: ThreadView) -> Decision:
    """The favorite is put to tests that it can lose: pairs that differ in it alone, and pictures never looked at."""
    verdicts = _verdicts(view)
    favorite = _favorite(view, verdicts)
    if favorite is None:
        return _give_up(view, verdicts)
    calls, proposed = [], []
    reading = favorite.reading.model_dump()
    if all(reading_of(shown) != favorite.reading for shown in view.of("top_exemplars")):
        calls.append(_call("top_exemplars", view, reading=reading))
    if _pictured(favorite.concept):
        proposed.append(_pair_prediction(favorite.concept, favorite.reading))
        calls.append(_call("make_pairs", view, reading=reading, concept=favorite.concept, n=PAIRS))
    rivals = [one for one in _standing(view, verdicts) if one.concept != favorite.concept][:1]
    calls += [
        _call("score_description", view, reading=one.reading.model_dump(), concept=one.concept)
        for one in (favorite, *rivals)
    ]
    return Calls(
        thought=f"`{favorite.concept}` is the favorite: try to break it, and see how well it predicts.",
        verdicts=verdicts,
        propose=tuple(proposed),
        calls=tuple(calls),
    )


def cut(view: ThreadView) -> Decision:
    """Life without the component, once there are words worth it."""
    verdicts = _verdicts(view)
    best = _best_scored(view, verdicts)
    if best is None or _pearson(best) < ENOUGH:
        return _give_up(view, verdicts) if verdicts else conclude(view)
    writes = (_call("vocabulary_effect", view),) if view.component.tower == "language" else ()
    return Calls(
        thought="Whether any answer needs it, and what it writes.",
        verdicts=verdicts,
        calls=(_call("ablate", view), *writes),
    )


def conclude(view: ThreadView) -> Decision:
    """The best scored phrase that was never contradicted, or nothing."""
    if any(note.kind == "revision" for note in view.notes):
        return Abstention(reason="The text that was tried did not stand up to its own receipts.")
    best = _best_scored(view, _verdicts(view))
    if best is None:
        return _nothing(view)
    if _pearson(best) < ENOUGH:
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
    pairs = next((e for e in view.of("make_pairs") if e.arguments.get("concept") == concept), None)
    claimed = claims(view, compared, pairs)
    return Conclusion(
        reading=reading,
        label=named(concept),
        concept=concept,
        text=tell(view, concept, reading, compared, pairs, best, claimed),
        facets=facets(concept, compared),
        confidence=max(0.0, min(1.0, _pearson(best))),
        claims=claimed,
        verdicts=_verdicts(view),
    )


def _call(tool: str, view: ThreadView, **more: object) -> Call:
    return Call.model_validate({"tool": tool, "arguments": {"component": str(view.component), **more}})


def _compare(view: ThreadView, concept: str, reading: Reading) -> Call:
    return _call("activations", view, reading=reading.model_dump(), concept=concept, n=PICTURES)


def _prediction(concept: str, reading: Reading) -> Hypothesis:
    return Hypothesis(
        statement=f"It is more active ({reading}) where `{concept}` holds than elsewhere.",
        concept=concept,
        quantity="effect",
        direction="above",
        threshold=THRESHOLD,
        control="the same difference for random components of its site",
        refuter="a difference whose interval reaches below the threshold, or one that random components share",
    )


def _pair_prediction(concept: str, reading: Reading) -> Hypothesis:
    return Hypothesis(
        statement=f"A change of `{concept}` alone moves it ({reading}), all else in the picture being equal.",
        concept=concept,
        quantity="effect",
        direction="above",
        threshold=THRESHOLD / 2,
        control="the same pairs measured on random components of its site",
        refuter="pairs between which it hardly differs, although only the concept changed",
    )


def _verdicts(view: ThreadView) -> tuple[Verdict, ...]:
    """Verdicts on every hypothesis that has none yet and whose experiment has run."""
    found = []
    for stated in view.stated:
        if stated.verdicts:
            continue
        experiment = _of_hypothesis(view, stated)
        if experiment is not None:
            try:
                found.append(judge(stated, experiment))
            except PlannerError:
                continue
    return tuple(found)


def _of_hypothesis(view: ThreadView, stated: Stated) -> Experiment | None:
    """The experiment that was run in the step of the hypothesis to test it."""
    tool = "make_pairs" if stated.hypothesis.statement.startswith("A change") else "activations"
    for experiment in view.of(tool):
        same = experiment.arguments.get("concept") == stated.hypothesis.concept
        if (
            same
            and experiment.step >= stated.step
            and str(reading_of(experiment)) in stated.hypothesis.statement
        ):
            return experiment
    return None


def _standing(view: ThreadView, fresh: tuple[Verdict, ...]) -> list[Compared]:
    """Concepts that a comparison supports and no experiment contradicts under the same reading, best first."""
    found = []
    for one in comparisons(view):
        outcomes = {
            verdict.outcome
            for stated in view.stated
            if stated.hypothesis.concept == one.concept and str(one.reading) in stated.hypothesis.statement
            for verdict in (*stated.verdicts, *(new for new in fresh if new.hypothesis == stated.number))
        }
        if "supports" in outcomes and "contradicts" not in outcomes:
            found.append(one)
    return found


def _favorite(view: ThreadView, fresh: tuple[Verdict, ...]) -> Compared | None:
    """The concept of the highest correlation; a combination must earn its length."""
    found = _standing(view, fresh)
    single = next((one for one in found if _single(one.concept)), None)
    joined = next((one for one in found if not _single(one.concept)), None)
    if single and joined and joined.reading == single.reading and joined.rho > single.rho + BETTER:
        return joined
    return single or joined


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


def _best_scored(view: ThreadView, fresh: tuple[Verdict, ...]) -> Experiment | None:
    """The highest score of a concept that nothing contradicts; of equal ones the first, which was the favorite's."""
    standing = {(one.concept, str(one.reading)) for one in _standing(view, fresh)}
    scored = [
        one for one in view.select_scores if (one.arguments["concept"], str(reading_of(one))) in standing
    ]
    return max(scored, key=_pearson, default=None)


def _pearson(experiment: Experiment) -> float:
    have = quantities(experiment)
    return have["pearson"].value if "pearson" in have else 0.0


def _single(concept: str) -> bool:
    return not {"|", "&"} & set(concept)


def _pictured(concept: str) -> bool:
    """Whether the phrase speaks of the picture, so that an editor can change it."""
    return _single(concept) and not concept.startswith(("question ", "answer "))
