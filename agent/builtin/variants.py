"""Variants of a concept: what it leaves open, made part of it; and which of its phrases decide it, where.

Knows leads, words and concepts as trees; knows nothing about how a variant fares.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, zip_longest
from typing import NamedTuple

from agent.builtin.candidates import EVERYDAY, Compared, comparisons, content, reading_of
from agent.builtin.without import WHOLE, Without
from agent.thread import ThreadView, quantities
from store.records import Experiment, Reading
from tools.scoring.concept import phrases, read
from tools.scoring.derivative import Decides, decides
from tools.scoring.narrowing import narrowed, without
from tools.scoring.normal import canonical, renamed
from tools.scoring.tree import All, Any, Concept, Not, Phrase, Sum, Weighted

SURE = 3.0
"""Standard errors that a lead must be away from nothing. Some hundred phrases are tried: chance finds some leads too,
which their comparisons sort out."""
LEADS = 3
"""Leads of each kind that are followed."""
MOST = 6
"""Variants that are compared at once."""
LONGEST = 4
"""Length of a concept, at most."""
STEPS = 5
"""Into how many steps weights are rounded."""


class Lead(NamedTuple):
    """A phrase that a concept leaves open, and what it does to the component, in sd."""

    phrase: str
    effect: float


class Paired(NamedTuple):
    """Pairs of pictures that differ in a phrase, and what a concept says of where it decides."""

    phrase: str
    decides: Decides
    experiment: Experiment


def variants(view: ThreadView, favorite: Compared, without: Without = WHOLE) -> list[str]:
    """Concepts near the favorite that have not been compared under its reading, the most promising first; none with a
    second thing where the method lacks facets."""
    tried = {canonical(one.concept) for one in comparisons(view) if one.reading == favorite.reading}
    found: list[str] = []
    for variant in chain(_wider(view, favorite.concept), _followed(view, favorite, without)):
        new = canonical(variant)
        if new not in tried and length(new) <= LONGEST:
            tried.add(new)
            found.append(new)
    return found[:MOST]


def length(concept: str) -> int:
    """How much a concept says: its phrases, and each place and exception beside them."""
    return sum(1 + narrowed(phrase).steps for phrase in phrases(concept))


def deciding(concept: str) -> list[tuple[str, Decides]]:
    """The phrases of a concept that speak of the picture, so that an editor can add them, and where each decides it."""
    found = [
        (phrase, decides(concept, phrase))
        for phrase in phrases(concept)
        if not phrase.startswith(("question ", "answer "))
    ]
    return [(phrase, decided) for phrase, decided in found if decided is not None]


def pairs_of(view: ThreadView, concept: str, reading: Reading) -> tuple[Paired, ...]:
    """The pairs that tested a concept phrase by phrase; of a test that was repeated, the last."""
    where = dict(deciding(concept))
    found = {
        phrase: Paired(phrase, where[phrase], experiment)
        for experiment in view.of("make_pairs")
        if (phrase := str(experiment.arguments["concept"])) in where
        and experiment.arguments.get("given", "") == where[phrase].given
        and reading_of(experiment) == reading
    }
    return tuple(found.values())


def _wider(view: ThreadView, concept: str) -> Iterator[Concept]:
    """A concept of several phrases with one of them cut down to one of its words ("small ring" to "ring")."""
    own, whole = phrases(concept), read(concept)
    if len(own) < 2:
        return
    said = sorted({str(told["phrase"]) for e in view.of("describe") for told in e.result.get("phrases", ())})
    for phrase in own:
        for word in said:
            if content(word) < content(phrase):
                yield _replaced(whole, phrase, word)


def _followed(view: ThreadView, favorite: Compared, without: Without) -> Iterator[Concept]:
    """What follows from the leads about the favorite, the first of each kind before the second of any.

    A lead that raises it less than the favorite does is a second thing that counts for less. What is weighted is not
    joined any further.
    """
    whole = read(favorite.concept)
    if isinstance(whole, Sum):
        return
    full = quantities(favorite.experiment)["effect"].value
    for experiment in view.of("unexplained"):
        about = str(experiment.arguments["concept"])
        if canonical(about) != canonical(favorite.concept) or reading_of(experiment) != favorite.reading:
            continue
        missed, sharper, spoiled = (_leads(experiment, kind) for kind in ("missed", "sharper", "spoiled"))
        if "facets" in without:
            missed = []
        kinds = (
            [Any((whole, Phrase(lead.phrase))) for lead in missed],
            [_weighed(whole, lead, full) for lead in missed],
            [_narrowed(whole, lead.phrase) for lead in sharper],
            [_spared(whole, lead.phrase) for lead in spoiled],
            [All((whole, Not(Phrase(lead.phrase)))) for lead in spoiled],
        )
        yield from (one for turn in zip_longest(*kinds) for one in turn if one is not None)


def _leads(experiment: Experiment, kind: str) -> list[Lead]:
    """Those worth following: a phrase that says what a better one says in other words would add nothing."""
    found: list[Lead] = []
    for told in experiment.result[kind]:
        lead = Lead(str(told["phrase"]), float(told["effect"]))
        everyday = lead.phrase.removeprefix("question names ") in EVERYDAY
        repeats = any(content(lead.phrase) & content(other.phrase) for other in found)
        if abs(told["z"]) >= SURE and not everyday and not repeats:
            found.append(lead)
    return found[:LEADS]


def _weighed(concept: Concept, lead: Lead, full: float) -> Concept | None:
    """The concept and the lead as a sum by what each does, where that is not about the same."""
    share = Fraction(round(STEPS * lead.effect / full), STEPS) if full > 0 else Fraction(0)
    if not 0 < share < 1:
        return None
    return Sum((Weighted(Fraction(1), concept), Weighted(share, Phrase(lead.phrase))))


def _narrowed(concept: Concept, lead: str) -> Concept:
    """With the lead: in the place of a phrase that it says more exactly, else as a condition."""
    for phrase in phrases(concept):
        if content(phrase) < content(lead):
            return _replaced(concept, phrase, lead)
    for phrase in phrases(concept):
        if merged := _merged(phrase, lead):
            return _replaced(concept, phrase, merged)
    return All((concept, Phrase(lead)))


def _merged(phrase: str, lead: str) -> str:
    """One thing of which both are said, where they share a word ("striped heart" and "striped green thing": "green
    striped heart"); "" where they don't, where the words name two things, or where a place is said."""
    if not content(phrase) & content(lead) or narrowed(phrase).steps or narrowed(lead).steps:
        return ""
    first, second = phrase.split(), lead.split()
    if first[-1] == "thing" != second[-1]:
        first, second = second, first
    if second[-1] not in ("thing", first[-1]):
        return ""
    return " ".join([word for word in second[:-1] if word not in first] + first)


def _spared(concept: Concept, lead: str) -> Concept | None:
    """With the lead as exception of a phrase that it narrows: "dotted moon" makes "moon" a "moon except dotted"."""
    for phrase in phrases(concept):
        more = [word for word in lead.split() if word not in content(phrase) | {"thing"}]
        if content(phrase) < content(lead) and not narrowed(phrase).steps:
            return _replaced(concept, phrase, without(phrase, " ".join(more)))
    return None


def _replaced(concept: Concept, phrase: str, other: str) -> Concept:
    return renamed(concept, lambda words: other if words == phrase else words)
