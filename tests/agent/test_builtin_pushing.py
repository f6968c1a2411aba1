"""When the built-in planner adds to a component, and what it claims of that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.builtin.method import decide
from agent.builtin.pushing import push, sufficient
from agent.builtin.telling import tell
from agent.decision import Call, Calls
from agent.receipts import fill
from agent.thread import Decided, Note, ThreadView
from store.records import Experiment, Reading
from tests.agent.test_builtin import compared, experiment, view

READING = Reading(scope="answer")


def cut(necessary: str = "undetermined", unused: str = "undetermined") -> Experiment:
    kind = {"kind": "color", "drop": 0.3, "ci": (0.2, 0.4), "control": 0.0}
    kind |= {"necessary": necessary, "unused": unused}
    return experiment(
        5, "ablate", READING, {"kinds": [kind], "unused": unused, "delta": 0.1, "necessary": []}
    )


def wrote(word: str, z: float, end: str = "top") -> Experiment:
    ends: dict[str, Any] = {"top": [], "bottom": []}
    ends[end] = [{"word": word, "logit": 1.0, "z": z}]
    return experiment(6, "vocabulary_effect", READING, {"quantities": {}, **ends})


def steered(answer: str = "yes", because: str = "beyond all") -> Experiment:
    effect = {"value": 4.5, "unit": "logits of lead", "ci": (4.0, 5.0), "n": 21, "control": 0.2}
    result = {"quantities": {"effect": effect}, "sufficient": answer, "because": because}
    return experiment(7, "steer", READING, result | {"kind": "color", "answers": ["red"]})


@pytest.mark.parametrize(
    ("seen", "tried"),
    [
        ((cut(),), False),
        ((cut(necessary="yes"),), True),
        ((cut(unused="no"),), True),
        ((cut(unused="yes"), wrote("red", 5.0)), True),
        ((cut(), wrote("red", 2.0)), False),
        ((cut(), wrote("blue", 9.0)), False),
        ((cut(), wrote("red", -9.0, "bottom")), False),
    ],
    ids=[
        "no reason",
        "needed",
        "harmful",
        "writes it",
        "writes it weakly",
        "writes another",
        "writes against it",
    ],
)
def test_a_push_is_tried_where_something_is_lost_or_the_words_are_written(
    seen: tuple[Experiment, ...], tried: bool
) -> None:
    made = push(view(*seen), "red thing", READING)
    assert (made is not None) == tried
    if made is not None:
        assert made.arguments["reading"] == {"sign": "+", "scope": "answer"}


def test_the_low_end_is_pushed_where_it_writes_the_words_from_below() -> None:
    low = Reading(sign="-", scope="answer")
    assert push(view(cut(), wrote("red", -9.0, "bottom")), "red thing", low) is not None


@pytest.mark.parametrize("answer", ["yes", "no", "undetermined"])
def test_the_claim_is_what_the_push_showed_with_its_effect_and_control(answer: str) -> None:
    found = sufficient(view(cut(), steered(answer)))
    assert (found.verdict, found.effect, found.control, found.evidence) == (answer, 4.5, 0.2, (7,))
    assert found.because == "on color questions: beyond all"


def refused(text: str) -> ThreadView:
    calls = Calls(calls=(Call(tool="steer", arguments={}),))
    return replace(view(cut()), decided=(Decided(3, calls),), notes=(Note(3, "repair", text, 0),))


def test_a_push_that_was_refused_or_never_tried_leaves_it_open_with_the_reason() -> None:
    said = "`red` can't be tested at the answer: no question asks for it"
    assert sufficient(refused(said)).because == said
    never = sufficient(view(cut()))
    assert never.verdict == "undetermined" and never.because.startswith("not pushed")
    assert sufficient(view()).because == "not tested"


def test_after_a_push_that_was_refused_the_thread_is_concluded() -> None:
    seen = refused("no dose")
    both = (*seen.decided, Decided(2, Calls(calls=(Call(tool="ablate", arguments={}),))))
    assert not isinstance(decide(replace(seen, decided=both)), Calls)


@pytest.mark.parametrize(
    ("answer", "words"), [("yes", "gains 4.50 logits of lead on others"), ("no", "does not gain beyond")]
)
def test_what_more_of_it_does_is_told_with_its_receipt(answer: str, words: str) -> None:
    drive = compared(1, "star", 1.0)
    effect = {"effect": {"value": 1.0, "unit": "sd", "control": 0.0}, "auroc": {"value": 0.9}}
    drive.result["quantities"] |= effect
    scored = experiment(2, "score_description", READING, {"quantities": {"pearson": {"value": 0.6}}})
    seen = view(drive, scored, steered(answer))
    text = tell(seen, "star", READING, drive, (), scored, {})
    told = fill(text, {one.number: one for one in seen.experiments})
    assert words in told and "[e7]" in told and "random components pushed as far" in told
