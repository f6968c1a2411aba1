"""Whether more of a component is worth trying, and what came of it: the claim `sufficient`.

A push costs forwards, and most components do nothing at the answer. It is tried where something gives a reason: answers
of some kind surely change without the component, or it writes one of the concept's own words. Reads results, judges
nothing anew.
"""

from __future__ import annotations

from typing import Any

from agent.decision import Call, Calls
from agent.thread import ThreadView, quantities
from store.records import Claim, Experiment, Reading
from tools.methods.about import answer_words

STRONG = 4.0
"""Standard deviations of random directions beyond which a word counts as written."""


def push(view: ThreadView, concept: str, reading: Reading) -> Call | None:
    """The call that adds to the component, or None where nothing gives a reason to expect anything of it."""
    if not (_missed(view) or _written(view, concept, reading)):
        return None
    return Call(
        tool="steer",
        arguments={
            "component": str(view.component),
            "concept": concept,
            "reading": reading.model_dump(mode="json"),
        },
    )


def sufficient(view: ThreadView) -> Claim:
    """From the last push; undetermined, with the reason, where there was none or it was refused."""
    found = view.of("steer")
    if not found:
        return Claim(verdict="undetermined", because=_why_not(view))
    return _claim(found[-1])


def _claim(experiment: Experiment) -> Claim:
    effect, result = quantities(experiment)["effect"], experiment.result
    return Claim(
        verdict=result["sufficient"],
        effect=effect.value,
        ci=effect.ci,
        control=effect.control,
        evidence=(experiment.number,),
        because=f"on {result['kind']} questions: {result['because']}",
    )


def _why_not(view: ThreadView) -> str:
    """Why it was never pushed, or why the push was refused."""
    if not view.of("ablate"):
        return next(
            (note.text for note in view.notes if "can't be tested causally" in note.text), "not tested"
        )
    for turn in view.decided:
        calls = turn.decision.calls if isinstance(turn.decision, Calls) else ()
        places = [place for place, call in enumerate(calls) if call.tool == "steer"]
        for note in view.notes:
            if note.step == turn.step and note.call in places:
                return note.text
    return "not pushed: no answer surely changes without it, and it writes none of the concept's words"


def _missed(view: ThreadView) -> bool:
    """Whether some kind of question surely changes by more than is nothing when the component is silenced."""
    kinds: list[dict[str, Any]] = [kind for one in view.of("ablate")[-1:] for kind in one.result["kinds"]]
    return any(kind["necessary"] == "yes" or kind["unused"] == "no" for kind in kinds)


def _written(view: ThreadView, concept: str, reading: Reading) -> bool:
    """Whether the end that is meant writes one of the concept's words."""
    end, sign = ("top", 1) if reading.sign == "+" else ("bottom", -1)
    words = answer_words(concept)
    return any(
        word["word"] in words and sign * word["z"] > STRONG
        for one in view.of("vocabulary_effect")[-1:]
        for word in one.result[end]
    )
