"""How the built-in planner goes about a component: guess, compare, combine, break, cut, conclude.

Six turns, each decided from the record alone. A phrase is believed when pictures that hold it excite the component more
than others do, and when adding or taking away just that thing moves it; everything else is left unsaid. A head is
active where it writes; where it looks and which answers fail without it are claims of their own.
"""

from __future__ import annotations

from agent.builtin.candidates import Compared, candidates, comparisons, parts, reading_of, unions, varied
from agent.builtin.claims import claims
from agent.builtin.telling import facets, tell
from agent.builtin.variants import deciding, pairs_of, variants
from agent.decision import Abstention, Call, Calls, Conclusion, Decision
from agent.thread import Stated, ThreadView, quantities
from agent.verdicts import judge
from store.errors import PlannerError
from store.records import Experiment, Hypothesis, Reading, Verdict
from tools.scoring.concept import phrases
from tools.scoring.derivative import Decides
from tools.scoring.normal import canonical
from tools.scoring.plain import label

COMPARED = 6
"""Phrases that are compared on pictures at once."""
THRESHOLD = 0.4
"""Standard deviations of the component by which a phrase must move it, at least."""
BETTER = 0.03
"""Correlation that a combination must gain over a single phrase."""
ENOUGH = 0.3
"""Score on the select split below which nothing is claimed."""
OPENING, ROUNDS = 3, 4
"""Turns before a favorite is widened, and turns that this may take."""
PAIRS = 24
PICTURES = 1024
"""Pictures of a comparison, at most; a run has measured them ahead."""


def decide(view: ThreadView) -> Decision:
    """The next decision."""
    turns = [turn.decision for turn in view.decided]
    if view.finish_now or (turns and isinstance(turns[-1], Calls) and not turns[-1].calls):
        return conclude(view)
    called = {call.tool for turn in turns if isinstance(turn, Calls) for call in turn.calls}
    if "ablate" in called:
        return conclude(view)
    if "score_description" in called:
        return cut(view)
    opening = (survey, compare, combine)
    return opening[len(turns)](view) if len(turns) < len(opening) else widen(view)


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
    """Verdicts on single phrases; the best ones are tried together, and the best is asked what it leaves open."""
    verdicts = _verdicts(view)
    found = _standing(view, verdicts)
    if not found:
        return _give_up(view, verdicts)
    reading = found[0].reading
    joined = unions(found)
    return Calls(
        thought="Whether the component stands for two things, or for two things together.",
        verdicts=verdicts,
        propose=tuple(_prediction(concept, reading) for concept in joined),
        calls=(
            *(_compare(view, concept, reading) for concept in joined),
            _unexplained(view, found[0].concept, reading),
        ),
    )


def widen(view: ThreadView) -> Decision:
    """What the favorite leaves open becomes its rivals: a further thing, a condition, an exception, a wider word."""
    verdicts = _verdicts(view)
    favorite = _favorite(view, verdicts)
    if favorite is None:
        return _give_up(view, verdicts)
    concept, reading = favorite.concept, favorite.reading
    rivals = variants(view, favorite)
    open_ = all(
        canonical(str(one.arguments["concept"])) != canonical(concept) for one in view.of("unexplained")
    )
    if len(view.decided) >= OPENING + ROUNDS or not (rivals or open_):
        return break_it(view)
    return Calls(
        thought=f"`{concept}` predicts best so far: what it leaves open is tried beside it.",
        verdicts=verdicts,
        propose=tuple(_prediction(rival, reading) for rival in rivals),
        calls=(
            *(_compare(view, rival, reading) for rival in rivals),
            *((_unexplained(view, concept, reading),) if open_ else ()),
        ),
    )


def break_it(view: ThreadView) -> Decision:
    """The favorite is put to tests that it can lose: pairs that differ in one of its phrases where that should decide,
    and pictures never looked at."""
    verdicts = _verdicts(view)
    favorite = _favorite(view, verdicts)
    if favorite is None:
        return _give_up(view, verdicts)
    calls, proposed = [], []
    reading = favorite.reading.model_dump()
    if all(reading_of(shown) != favorite.reading for shown in view.of("top_exemplars")):
        calls.append(_call("top_exemplars", view, reading=reading))
    for phrase, decided in deciding(favorite.concept):
        proposed.append(_pair_prediction(favorite.concept, phrase, decided, favorite.reading))
        calls.append(_call("make_pairs", view, reading=reading, concept=phrase, given=decided.given, n=PAIRS))
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
    pairs = pairs_of(view, concept, reading)
    claimed = claims(view, compared, pairs)
    return Conclusion(
        reading=reading,
        label=label(concept),
        concept=concept,
        text=tell(view, concept, reading, compared, pairs, best, claimed),
        facets=facets(concept, compared, pairs),
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


def _unexplained(view: ThreadView, concept: str, reading: Reading) -> Call:
    return _call("unexplained", view, reading=reading.model_dump(), concept=concept, n=PICTURES)


def _pair_prediction(concept: str, phrase: str, decided: Decides, reading: Reading) -> Hypothesis:
    rises = decided.sign > 0
    where = f" where `{decided.given}` holds" if decided.given else ""
    return Hypothesis(
        statement=f"Adding `{phrase}` alone{where} {'raises' if rises else 'lowers'} it ({reading}).",
        concept=concept,
        quantity="effect",
        direction="above" if rises else "below",
        threshold=decided.sign * THRESHOLD / 2,
        control="the same pairs measured on random components of its site",
        refuter="pairs between which it hardly differs, although only that changed",
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
    """The experiment that was run, at the step of the hypothesis or later, to test it."""
    for experiment in view.experiments:
        if experiment.step >= stated.step and _tests(experiment, stated.hypothesis):
            return experiment
    return None


def _tests(experiment: Experiment, hypothesis: Hypothesis) -> bool:
    concept = str(experiment.arguments.get("concept") or "")
    if experiment.tool == "activations":
        return hypothesis == _prediction(concept, reading_of(experiment))
    if experiment.tool != "make_pairs":
        return False
    decided = dict(deciding(hypothesis.concept)).get(concept)
    return (
        decided is not None
        and decided.given == experiment.arguments.get("given", "")
        and hypothesis == _pair_prediction(hypothesis.concept, concept, decided, reading_of(experiment))
    )


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
    """The concept of the highest correlation; each further phrase must earn its place."""
    by_length = sorted(_standing(view, fresh), key=lambda one: len(phrases(one.concept)))
    best: Compared | None = None
    for one in by_length:
        more = len(phrases(one.concept)) - len(phrases(best.concept)) if best else 0
        if best is None or one.rho > best.rho + BETTER * more:
            best = one
    return best


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
