"""What the built-in planner writes: sentences whose numbers are references.

Knows how findings are put into plain words; knows nothing about how they were chosen. Every sentence cites.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agent.builtin.variants import Paired
from agent.thread import ThreadView, quantities
from store.records import AGAINST, Claim, Experiment, Facet, Reading
from tools.scoring.concept import read
from tools.scoring.normal import canonical
from tools.scoring.plain import describe
from tools.scoring.tree import Any, Concept, Phrase, Sum

WHERE = {
    "visual": "over the picture's tokens",
    "question": "over the question's tokens",
    "answer": "at the answer",
}
TOKENS = {
    "picture": "the picture's tokens",
    "question": "the question's tokens",
    "start": "the prompt's own tokens",
    "class": "the class token",
    "itself": "its own token",
    "near": "neighboring patches",
    "far": "far patches",
}
STRONG = 4.0
"""Standard deviations of random directions beyond which a word counts as written."""
WORDS = 4


def tell(
    view: ThreadView,
    concept: str,
    reading: Reading,
    compared: Experiment,
    pairs: Sequence[Paired],
    scored: Experiment,
    claimed: Mapping[str, Claim | None],
) -> str:
    """A few sentences about a component."""
    return " ".join(
        [
            _responds(concept, reading, compared),
            *map(_moves, pairs),
            *_reads(view, claimed.get("reads")),
            *_matters(view),
            *_writes(view),
            *_says(view),
            *_favors(claimed.get("writes")),
            f"On pictures that were not looked at, these words have a {{e{scored.number}.pearson}} with it "
            f"[e{scored.number}].",
        ]
    )


def facets(concept: str, compared: Experiment, pairs: Sequence[Paired]) -> tuple[Facet, ...]:
    """One facet for each alternative, weighted as in a sum, or by what adding just that does where all were tried."""
    whole = read(concept)
    parts = [part.of for part in whole.shares] if isinstance(whole, Sum) else _alternatives(whole)
    moved = {one.phrase: one for one in pairs}
    tried = [moved.get(part.words) if isinstance(part, Phrase) else None for part in parts]
    given = [float(part.weight) for part in whole.shares] if isinstance(whole, Sum) else _strengths(tried)
    return tuple(
        Facet(
            phrase=canonical(part),
            weight=round(weight, 2),
            evidence=(compared.number, *((one.experiment.number,) if one else ())),
        )
        for part, weight, one in zip(parts, given, tried, strict=True)
    )


def _alternatives(concept: Concept) -> Sequence[Concept]:
    return concept.of if isinstance(concept, Any) else (concept,)


def _strengths(tried: Sequence[Paired | None]) -> list[float]:
    """Shares of what each does; equal ones where that is not known of all."""
    effects = [quantities(one.experiment)["effect"].value if one else 0.0 for one in tried]
    if min(effects) <= 0:
        return [1 / len(tried)] * len(tried)
    return [effect / sum(effects) for effect in effects]


def _responds(concept: str, reading: Reading, compared: Experiment) -> str:
    end = "more active" if reading.sign == "+" else "further down"
    e = f"e{compared.number}"
    return (
        f"It is {end} {WHERE[reading.scope]} where {describe(concept, numbers=False)} holds, by {{{e}.effect}} "
        f"({{{e}.effect.control}} for random components of its site; {{{e}.auroc}}) [{e}]."
    )


def _moves(pairs: Paired) -> str:
    e = f"e{pairs.experiment.number}"
    where = f" where {describe(pairs.decides.given, numbers=False)} holds" if pairs.decides.given else ""
    return (
        f"Adding just {describe(pairs.phrase, numbers=False)} to {{{e}.effect.n}} pictures{where} makes a difference "
        f"of {{{e}.effect}} to it ({{{e}.effect.control}} to random components) [{e}]."
    )


def _matters(view: ThreadView) -> Iterator[str]:
    for experiment in view.of("ablate")[-1:]:
        e, result = f"e{experiment.number}", experiment.result
        if result["necessary"]:
            kind = max(
                (one for one in result["kinds"] if one["necessary"] == "yes"), key=lambda one: one["drop"]
            )["kind"]
            yield (
                f"Without it the right answer to {kind} questions loses {{{e}.drop_{kind}}} "
                f"({{{e}.drop_{kind}.control}} without random components) [{e}]."
            )
        elif result["unused"] == "yes":
            yield f"No answer needs it: no kind of question changes by more than {{{e}.largest_bound}} [{e}]."
        else:
            yield f"Whether any answer needs it stayed open [{e}]."


def _says(view: ThreadView) -> Iterator[str]:
    """What the target says when there is more of it."""
    for experiment in view.of("steer")[-1:]:
        e, result = f"e{experiment.number}", experiment.result
        words = " or ".join(f"“{word}”" for word in result["answers"])
        beside = f"{{{e}.effect.control}} with random components pushed as far"
        if result["sufficient"] == "yes":
            yield (
                f"With more of it the answer {words} to {result['kind']} questions gains {{{e}.effect}} on others "
                f"({beside}) [{e}]."
            )
        else:
            verb = "does not surely gain" if result["sufficient"] == "undetermined" else "does not gain"
            yield (
                f"With more of it the answer {words} to {result['kind']} questions {verb} beyond what it should: by "
                f"{{{e}.effect}} ({beside}) [{e}]."
            )


def _reads(view: ThreadView, claim: Claim | None) -> Iterator[str]:
    if claim is None or claim.verdict != "yes":
        return
    e, kind = f"e{claim.evidence[0]}", f"reads_{claim.about}"
    whence = "From patches" if view.component.tower == "vision" else "From where the answer is predicted"
    yield (
        f"{whence} its attention finds {TOKENS[claim.about]} at {{{e}.{kind}}} "
        f"({{{e}.{kind}.control}} for the layer's other heads) [{e}]."
    )


def _favors(claim: Claim | None) -> Iterator[str]:
    if claim is None or claim.verdict != "yes":
        return
    kind, e = claim.about.removeprefix(AGAINST), f"e{claim.evidence[0]}"
    verb = "seldom favors" if claim.about.startswith(AGAINST) else "favors"
    yield (
        f"What it adds {verb} the right answer to {kind} questions: in {{{e}.writes_{kind}}}, against "
        f"{{{e}.writes_{kind}.control}} with the answers shuffled [{e}]."
    )


def _writes(view: ThreadView) -> Iterator[str]:
    for experiment in view.of("vocabulary_effect")[-1:]:
        words = [word["word"] for word in experiment.result["top"] if word["z"] > STRONG][:WORDS]
        if words:
            listed = ", ".join(f"“{word}”" for word in words)
            yield f"Its output by itself points toward {listed} [e{experiment.number}]."
