"""Probes of the embedded world: what is said to be absent is absent, and pairs differ in the cue alone."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from experiments.audit.survey import Survey
from experiments.tableau.probes import cues, polls, texts
from experiments.tableau.probes.scenes import company, drawn, shapes_in

N = 8


@pytest.fixture(scope="module")
def polled() -> dict[str, Survey]:
    return {survey.name: survey for survey in polls.hallucination(N, 324)}


@pytest.fixture(scope="module")
def cued() -> list[Survey]:
    return list(islice(cues.spurious(N, 325), 3))


def test_candidates_are_found_by_counting_and_the_planted_ones_come_first() -> None:
    first = [(one.family, one.cue, one.word) for one in cues.associations()[:3]]
    assert set(first) == {
        ("background", "star", "dark"),
        ("color", "heart", "red"),
        ("company", "moon", "star"),
    }


def test_the_adversarial_thing_is_absent_and_comes_with_what_is_shown() -> None:
    alone = drawn(
        "regular", 77, 326, lambda seen: "moon" in shapes_in(seen) and "star" not in shapes_in(seen)
    )
    for seen in islice(alone, 5):
        assert polls._best_company(seen) == "star"
    assert company().comes_with("star", "moon") > 0.2 > company().comes_with("ring", "moon")


def test_every_arm_of_a_poll_has_equally_many_questions(polled: dict[str, Survey]) -> None:
    for survey in polled.values():
        assert {len(arm) for arm in survey.arms.values()} == {N}


def test_what_a_poll_counts_is_wrong_before_its_picture(polled: dict[str, Survey]) -> None:
    one = polled["polling, adversarial"]
    assert all(probe.holds(("yes",)) and not probe.holds(("no",)) for probe in one.tested)
    assert all(probe.holds(("no",)) and not probe.holds(("yes",)) for probe in one.control)


def test_the_four_numbers_of_beaf_share_out_all_replies(polled: dict[str, Survey]) -> None:
    more = polled["removal"].more
    for replies in (("yes", "no"), ("no", "yes"), ("yes", "yes"), ("no", "no")):
        assert sum(more[name][0].holds(replies) for name in ("TU", "IG", "SB")) == 1
    assert [more["ID"][0].holds(one) for one in (("yes", "no"), ("yes", "yes"))] == [True, False]


def test_a_caption_invents_what_is_not_shown_and_omits_what_is(polled: dict[str, Survey]) -> None:
    survey = polled["captions"]
    nothing = ("nothing on a dark background .",)
    assert all(probe.holds(nothing) for probe in survey.control)
    assert not any(probe.holds(nothing) for probe in survey.tested)


def test_the_sides_of_a_pair_differ_in_a_part_of_the_picture_and_share_their_question(
    cued: list[Survey],
) -> None:
    for survey in cued:
        assert survey.cue and len(survey.tested) == N
        for with_, without in zip(survey.tested, survey.baseline, strict=True):
            (one,), (other,) = with_.asked, without.asked
            assert one.answer == other.answer != survey.cue
            differs = (np.asarray(one.image) != np.asarray(other.image)).any(axis=-1).mean()
            assert 0 < differs < 0.25


def test_the_same_seed_gives_the_same_questions_and_another_seed_others() -> None:
    keys = [[probe.asked[0].key for probe in next(cues.spurious(4, seed)).tested] for seed in (327, 327, 328)]
    assert keys[0] == keys[1] != keys[2]


def test_a_sign_and_a_sentence_speak_against_the_picture() -> None:
    surveys = {survey.name: survey for survey in texts.text_dominance(4, 329)}
    for name in ("sign against picture", "sentence against picture"):
        for probe in surveys[name].tested:
            assert not probe.holds((probe.asked[0].answer,))
    stated = surveys["sentence against picture"]
    assert all("is " in probe.asked[0].question.split(" . ")[0] for probe in stated.tested)
    lost = surveys["sentence that disturbs"].tested[0]
    right = lost.asked[0].answer
    assert lost.holds(("something else",)) and not lost.holds((right,))
    both = surveys["contradiction, size"].tested[0]
    assert both.holds(("yes", "yes")) and not both.holds(("yes", "no")) and len(both.asked) == 2
