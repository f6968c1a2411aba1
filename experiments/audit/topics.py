"""Which surveys a topic has in which world, and what can't be asked there, with the reason.

Knows the embedded world and collections of photographs by name; knows nothing about how surveys are run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from experiments.audit.survey import Survey
from experiments.worlds import TABLEAU
from store.audits import TOPICS, Topic
from store.errors import UsageError, UserError

if TYPE_CHECKING:
    from experiments.audit.maps import Placed
    from experiments.workplace import Workplace


class NotHere(Exception):
    """A topic that can't be measured with these pictures; the words say why."""


def chosen(text: str) -> tuple[Topic, ...]:
    """The topics that words joined by commas mean, each once, in their own order; UsageError for others."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word not in TOPICS]
    if unknown or not words:
        raise UsageError(
            f"`{unknown[0] if unknown else text}` is not a topic of audits",
            kind="topic",
            hint=f"topics: {', '.join(TOPICS)}; several are joined by commas",
        )
    return tuple(topic for topic in TOPICS if topic in words)


def refuse_wordless(workplace: Workplace) -> None:
    """Raises UserError for a target that answers no questions."""
    if not workplace.target.model.can_generate():
        raise UserError(
            f"`{workplace.target.name}` compares pictures with texts and answers no questions",
            kind="no_words",
            hint="audit a target of the llava family",
        )


def surveys(workplace: Workplace, topic: Topic, n: int) -> Iterator[Survey]:
    """The topic's surveys, `n` pictures an arm, always the same for the same world, n and seed.

    Raises NotHere where there are none.
    """
    if workplace.world.name != TABLEAU:
        return _outside(workplace, topic, n)
    from experiments.tableau.probes.cues import spurious
    from experiments.tableau.probes.polls import hallucination
    from experiments.tableau.probes.texts import text_dominance

    known = {"hallucination": hallucination, "spurious": spurious, "text-dominance": text_dominance}
    return known[topic](n, workplace.seed) if topic in known else iter(())


def placed(workplace: Workplace, n: int) -> list[list[Placed]]:
    """Questions about one of several things, about the only thing, and about unfamiliar things; `n` of each.

    Raises NotHere where nobody knows which pixels a thing covers.
    """
    if workplace.world.name != TABLEAU:
        raise NotHere("it takes the pixels of the thing that is asked about, which nobody knows here")
    from experiments.tableau.probes import places

    return [each(n, workplace.seed) for each in (places.among_others, places.alone, places.unfamiliar)]


def _outside(workplace: Workplace, topic: Topic, n: int) -> Iterator[Survey]:
    from experiments.audit import photos

    if topic == "hallucination":
        return iter(
            _some(photos.polls(workplace, n), "the judge knows no words that it could be polled about")
        )
    if topic == "text-dominance":
        return iter(
            _some(
                photos.stated(workplace, n),
                f"it takes {photos.FEWEST} questions with known answers or more, not all of them the same: give them "
                "in `--questions`",
            )
        )
    if topic == "grounding":
        return iter(())
    raise NotHere("it takes pictures that can be changed exactly, which photographs can't")


def _some(found: Sequence[Survey], reason: str) -> Iterable[Survey]:
    if not found:
        raise NotHere(reason)
    return found
