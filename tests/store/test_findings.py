"""Findings: an answer is recorded once, leans on what is recorded, and is found by its words."""

from __future__ import annotations

import pytest

from store.database import Store
from store.errors import UserError
from store.recorder import QUESTION
from store.records import AnswerRow, Described, Finding
from tests.store.records import TARGET, UNIT, begin, measure, words


def asked(store: Store) -> str:
    store.recorder.target("tiny", TARGET, "llava", {})
    return store.recorder.open_run("ask", TARGET, {"question": "?"}, 0, "builtin")


def answer(*experiments: int, text: str = "") -> Finding:
    return Finding(
        question="which heads write the color?",
        kind="which",
        understood="which heads write into the answer directly: color?",
        status="answered",
        answer=text or f"One head does [e{experiments[0]}].",
        rows=(AnswerRow(component=UNIT, value=0.4, ci=(0.3, 0.5), n=16, control=0.0, evidence=experiments),),
        evidence=experiments,
    )


def test_an_answer_is_read_back_as_it_was(store: Store) -> None:
    run = asked(store)
    number = measure(store, run, thread=QUESTION).number
    store.recorder.finding(run, 1, answer(number))
    found = store.queries.finding(run)
    assert found.finding == answer(number)
    assert (found.name, store.queries.findings(run)) == (f"{run}/1", [found])


def test_the_same_answer_twice_is_one_and_another_one_is_refused(store: Store) -> None:
    run = asked(store)
    number = measure(store, run, thread=QUESTION).number
    for _ in range(2):
        store.recorder.finding(run, 1, answer(number))
    with pytest.raises(RuntimeError, match="would say something else"):
        store.recorder.finding(run, 1, answer(number, text=f"Two do [e{number}]."))


def test_an_answer_that_leans_on_nothing_recorded_is_refused_and_leaves_no_trace(store: Store) -> None:
    run = asked(store)
    with pytest.raises(RuntimeError, match="no such experiment is recorded"):
        store.recorder.finding(run, 1, answer(99))
    assert store.queries.findings(run) == []


def test_an_answer_can_not_lean_on_another_target_or_on_the_sealed_test(store: Store) -> None:
    run = asked(store)
    other = measure(store, begin(store, "sha256:other"), fingerprint="sha256:other").number
    sealed = measure(store, run, thread=QUESTION, split="test").number
    for number, told in ((other, "on another target"), (sealed, "the sealed test")):
        with pytest.raises(RuntimeError, match=told):
            store.recorder.finding(run, 1, answer(number))


def test_who_leans_on_an_experiment_is_written_down(store: Store) -> None:
    run = asked(store)
    number = measure(store, run, thread=QUESTION).number
    store.recorder.finding(run, 1, answer(number))
    places = {row["place"] for row in store.queries.export_rows() if row["table"] == "citation"}
    assert places == {"finding 1 answer", "finding 1 evidence", "finding 1 row 0"}


def test_answers_are_found_by_the_words_of_question_and_answer(store: Store) -> None:
    run = asked(store)
    store.recorder.finding(run, 1, answer(measure(store, run, thread=QUESTION).number))
    (hit,) = [hit for hit in store.queries.search("heads color") if hit.kind == "finding"]
    assert (hit.run, hit.number) == (run, 1)


def test_an_unknown_finding_is_refused_in_a_sentence(store: Store) -> None:
    run = asked(store)
    with pytest.raises(UserError, match="has no finding 1"):
        store.queries.finding(run)
    with pytest.raises(UserError, match="no run `nothere`"):
        store.queries.finding("nothere")


def test_the_newest_description_of_a_component_is_the_one_that_is_told(store: Store) -> None:
    runs = [begin(store, TARGET) for _ in range(2)]
    for run, label in zip(runs, ("old", "new"), strict=True):
        store.recorder.description(run, words(label=label))
    ((run, found),) = store.queries.described(TARGET)
    assert (run, found.label) == (runs[1], "new")
    assert store.queries.described(TARGET, "language.0.mlp.9") == []
    assert store.queries.described("sha256:other") == []


def test_what_was_measured_alike_is_found_with_the_words_of_its_run(store: Store) -> None:
    run = asked(store)
    kept = measure(store, run, thread=QUESTION, tool="probe")
    measure(store, run, 1, thread=QUESTION, tool="probe", split="test")
    ((found, words_of_run),) = store.queries.alike("probe", TARGET, kept.seed, kept.code)
    assert found == kept
    assert words_of_run == {"question": "?"}
    assert store.queries.alike("probe", TARGET, kept.seed + 1, kept.code) == []
    assert store.queries.alike("probe", TARGET, kept.seed, "other") == []


def test_a_finding_names_descriptions_without_copying_what_the_test_said() -> None:
    assert set(Described.model_fields) == {"run", "component"}
