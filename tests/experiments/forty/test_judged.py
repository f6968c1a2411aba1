"""The table and its judgement: what counts as right, and that a wrong answer can't pass for one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from experiments.forty.judged import Mark, Said, judged, unfounded
from experiments.forty.proof import Marked, mispaired, shares
from experiments.forty.table import FORTY, Case
from store.records import AnswerRow, Description, Experiment, Finding

CASE = Case("cut", "which heads write the color?", "which", "yes", "it was cut", ("a",), ("a", "b"))
RESULT = {"quantities": {"denoising a": {"value": 0.437, "ci": [0.4, 0.5]}}}
RECEIPT = Experiment(
    number=3,
    run="r",
    thread="question",
    step=0,
    call=0,
    tool="find_components",
    arguments={},
    seed=0,
    fingerprint="f",
    code="c",
    result=RESULT,
)
FINDING = Finding(
    question="?",
    kind="which",
    understood="?",
    status="answered",
    answer="One stood: a restores 0.44 (0.40 to 0.50) [e3].",
    verdict="yes",
    named=("a",),
    rows=(AnswerRow(component="a", value=0.437, evidence=(3,)),),
    evidence=(3,),
)
GOOD = Said(FINDING, made=1, forwards=100, experiments={3: RECEIPT})


def but(**changes: object) -> Said:
    return replace(GOOD, finding=FINDING.model_copy(update=changes))


def test_there_are_forty_questions_of_every_kind_with_enough_that_are_open_refuted_or_stored() -> None:
    assert len(FORTY) == len(set(FORTY)) == 40
    count = Counter(case.right for case in FORTY)
    assert count["unknown"] + count["refused"] >= 8
    assert count["no"] >= 8
    assert sum(case.again for case in FORTY) >= 8
    assert {case.kind for case in FORTY} == {
        "", "what", "which", "used", "needed", "why", "compare", "beside", "known",
    }  # fmt: skip
    assert all(case.because for case in FORTY)


def test_an_answer_with_the_right_verdict_names_and_receipts_is_right() -> None:
    assert judged(CASE, GOOD) == ("right", "")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (but(verdict="no"), "said `no`"),
        (but(kind="known"), "understood as `known`"),
        (but(named=("b",)), "does not name a"),
        (but(named=("a", "c")), "names c as well"),
        (but(evidence=(3, 9)), "[e9], which is not recorded"),
        (but(rows=(AnswerRow(component="a", value=0.4),)), "has no receipt"),
        (but(answer="a restores 0.94 [e3]."), "0.94 stands in no receipt"),
        (Said(refusal="it is none of the kinds"), "refused"),
    ],
)
def test_every_other_one_is_wrong_and_says_why(said: Said, reason: str) -> None:
    mark, why = judged(CASE, said)
    assert mark == "wrong"
    assert reason in why


def test_not_known_is_a_mark_of_its_own_unless_it_is_the_right_answer() -> None:
    open_ = but(status="unknown", answer="", reason="nothing stood [e3].", verdict="", named=())
    assert judged(CASE, open_)[0] == "not known"
    assert judged(replace(CASE, right="unknown"), open_)[0] == "right"
    assert judged(replace(CASE, right="unknown"), GOOD)[0] == "wrong"


def test_a_refusal_is_right_only_where_nothing_can_be_asked() -> None:
    assert judged(replace(CASE, right="refused"), Said(refusal="no"))[0] == "right"
    assert judged(replace(CASE, right="refused"), GOOD)[0] == "wrong"


def test_a_stored_answer_that_was_measured_again_is_wrong() -> None:
    assert judged(replace(CASE, again=True), GOOD)[0] == "wrong"
    assert judged(replace(CASE, again=True), replace(GOOD, made=0, forwards=0))[0] == "right"


def test_a_description_must_say_the_concept_in_other_words_at_most() -> None:
    case = replace(CASE, concept="red thing", only=())
    right = Description(component="a", status="verified", label="red things", concept="red")
    assert judged(case, replace(GOOD, descriptions=(right,)))[0] == "right"
    wrong = right.model_copy(update={"concept": "star"})
    assert judged(case, replace(GOOD, descriptions=(wrong,)))[0] == "wrong"


def test_numbers_are_sought_in_the_receipts_of_their_own_sentence() -> None:
    other = RECEIPT.model_copy(update={"number": 4, "result": {"quantities": {"x": {"value": 0.9}}}})
    finding = FINDING.model_copy(
        update={"answer": "a restores 0.44 [e3]. b restores 0.44 [e4].", "evidence": (3, 4)}
    )
    assert list(unfounded(finding, {3: RECEIPT, 4: other}))


def test_beside_the_truth_of_another_question_a_right_answer_is_not_right() -> None:
    other = replace(CASE, right="no", named=(), only=())
    no = FINDING.model_copy(update={"verdict": "no", "named": ()})
    found = [
        Marked(CASE, GOOD, "right", "", 1.0),
        Marked(other, replace(GOOD, finding=no), "right", "", 1.0),
    ]
    assert mispaired(found) == ["wrong", "wrong"]


def test_shares_come_with_wilson_intervals() -> None:
    marks: list[Mark] = ["right"] * 38
    told = shares([*marks, "wrong", "not known"])
    assert told["right"]["share"] == 0.95
    assert told["right"]["ci"] == pytest.approx([0.835, 0.986], abs=0.001)
