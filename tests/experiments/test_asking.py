"""Asking from words to a finding: every number has a receipt, the store goes first, and what is not known says why."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from agent.ask.answer import Answer, check
from agent.ask.why import Shown
from experiments.workplace import Workplace
from store.database import open_store
from store.errors import UsageError, UserError
from store.records import Description
from tests.experiments.asked import WORDS, asks, place, squares
from tests.tools.lively import lively
from tools.targets.load import load_target

UNIT, OTHER = "language.0.mlp.3", "language.1.head.2"


@pytest.fixture(scope="module")
def model(llava_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = lively(llava_folder)
    folder = tmp_path_factory.mktemp("asked") / "model"
    target.model.save_pretrained(folder)
    target.processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def filled(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """A place in which one question after the other is asked."""
    folder = tmp_path_factory.mktemp("filled")
    with open_store(folder / "store.db") as store:
        yield place(store, model, folder / "cache")


@pytest.fixture(scope="module")
def deaf(filled: Workplace, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """The same target, with a store that it shares and another last layer."""
    target = load_target(model, name="deaf")
    with torch.no_grad():
        target.model.model.language_model.layers[-1].mlp.down_proj.weight.zero_()
    return Workplace(filled.store, target, squares(), seed=0, cache=tmp_path_factory.mktemp("deaf"))


def described(workplace: Workplace, component: str, label: str) -> str:
    """A description on record, as a labelling run would leave it; the run's id."""
    workplace.register()
    recorder = workplace.store.recorder
    run = recorder.open_run("label", workplace.target.fingerprint, dict(WORDS), 0, "builtin")
    recorder.description(
        run,
        Description(component=component, status="unverified", label=label, text=f"It is active on {label}."),
    )
    return run


def test_which_components_is_answered_with_a_ranked_table_of_receipts(filled: Workplace) -> None:
    asked = asks(filled, "which language neurons carry the color?")
    finding = asked.found.finding
    assert finding.kind == "which"
    assert finding.rows
    assert all(row.evidence and row.ci and row.n and row.control is not None for row in finding.rows)
    numbers = {int(number) for number in re.findall(r"\[e(\d+)\]", finding.answer or finding.reason)}
    assert numbers == set(finding.evidence) == {number for row in finding.rows for number in row.evidence}
    run = filled.store.queries.run(asked.found.run)
    assert (run.kind, run.status) == ("ask", "done")


def test_asked_again_it_is_answered_from_the_store_in_the_same_words(filled: Workplace) -> None:
    first = asks(filled, "which language neurons carry the color?")
    again = asks(filled, "Which language neurons carry an object's color to the answer?")
    assert (again.made, again.reused) == (0, 1)
    assert again.found.finding.answer == first.found.finding.answer
    assert again.found.run != first.found.run


def test_other_pictures_are_other_measurements(filled: Workplace) -> None:
    asks(filled, "compare language.0.mlp.3 and language.0.mlp.4")
    other = asks(filled, "compare language.0.mlp.3 and language.0.mlp.4", images="elsewhere")
    assert other.made > 0
    assert other.reused == 0


def test_two_components_are_compared_by_what_they_share_and_what_each_is_needed_for(
    filled: Workplace,
) -> None:
    finding = asks(filled, f"compare {UNIT} and {OTHER}").found.finding
    assert finding.status == "answered"
    assert "correlation" in finding.answer
    assert finding.answer.count("needed for") == 2


def test_used_or_only_encoded_gives_a_verdict_or_says_what_is_open(filled: Workplace) -> None:
    finding = asks(filled, "is red used or only encoded for color questions?").found.finding
    assert [row.measure for row in finding.rows][:1] == ["probe's accuracy, balanced"]
    assert finding.rows[0].control is not None
    said = finding.answer or finding.reason
    assert any(word in said for word in ("is encoded", "is not encoded", "is open"))


def test_why_names_parts_with_controls_and_shows_where_it_looked(filled: Workplace) -> None:
    question = "what color is the star ?"
    found = filled.engine.plain([filled.world.train.asked(3)]).logits.argmax()
    word = filled.target.processor.tokenizer.decode([int(found)]).strip()
    finding = asks(filled, f"why '{word}'?", shown=Shown(3, question)).found.finding
    if finding.rows:
        assert all(row.control is not None for row in finding.rows)
        assert "map" in finding.artifacts
    else:
        assert "does not hang on this one" in finding.reason


def test_why_another_answer_than_the_targets_is_answered_with_no_and_what_it_says(filled: Workplace) -> None:
    finding = asks(filled, "why 'circle'?", shown=Shown(3, "what color is the star ?")).found.finding
    assert finding.verdict in ("no", "")
    assert "It does not say “circle” there" in finding.answer or "does not hang" in finding.reason


def test_whether_a_component_is_used_is_tested_without_it(filled: Workplace) -> None:
    finding = asks(filled, f"is {UNIT} used for color questions?").found.finding
    assert finding.kind == "needed"
    assert finding.rows and all(row.control is not None and row.ci for row in finding.rows)
    assert finding.verdict == {"answered": "no"}.get(finding.status, "") or finding.named == (UNIT,)


def test_two_targets_are_asked_the_same_and_every_row_says_whose_it_is(
    filled: Workplace, deaf: Workplace
) -> None:
    asked = asks(filled, f"is {UNIT} used for color questions?", against=deaf)
    finding = asked.found.finding
    assert (finding.kind, finding.against) == ("beside", deaf.target.fingerprint)
    assert {row.target for row in finding.rows} == {"tiny", "deaf"}
    made_on = {filled.store.queries.experiment(number).fingerprint for number in finding.evidence}
    assert made_on == {filled.target.fingerprint, deaf.target.fingerprint}
    assert all(name in finding.answer + finding.reason for name in ("tiny", "deaf"))


def test_a_target_is_not_compared_with_itself(filled: Workplace) -> None:
    with pytest.raises(UserError, match="compared with itself"):
        asks(filled, f"is {UNIT} used?", against=filled)


def test_a_description_in_the_store_answers_what_a_component_does(filled: Workplace) -> None:
    run = described(filled, UNIT, "red squares")
    asked = asks(filled, f"what does {UNIT} do?")
    assert (asked.made, asked.reused) == (0, 0)
    assert asked.found.finding.answer == "It is active on red squares."
    assert [place.run for place in asked.found.finding.described] == [run]


def test_what_is_known_is_searched_in_the_store_alone(filled: Workplace) -> None:
    described(filled, "language.0.mlp.5", "blue squares")
    nothing = asks(filled, "what is known about purple moons?")
    assert nothing.found.finding.status == "unknown"
    assert "says nothing about `purple moons`" in nothing.found.finding.reason
    assert nothing.made == 0


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("", UsageError, "empty"),
        ("sing me a song", UsageError, "none of the questions"),
        ("which neurons read elephant?", UserError, "`elephant`"),
        ("what does language.7.mlp.0 do?", UserError, "language layers"),
        ("is red used for smell questions?", UsageError, "`smell` is not a kind"),
        ("why 'red'?", UserError, "needs the picture"),
    ],
)
def test_a_question_that_can_not_be_asked_is_a_sentence_and_leaves_no_run(
    filled: Workplace, text: str, error: type[UserError], told: str
) -> None:
    before = len(filled.store.queries.runs())
    with pytest.raises(error, match=told) as refused:
        asks(filled, text)
    assert refused.value.hint
    assert len(filled.store.queries.runs()) == before


def test_a_budget_that_is_spent_ends_as_not_known_and_keeps_what_was_measured(
    model: Path, tmp_path: Path, filled: Workplace
) -> None:
    shutil.copytree(filled.cache, tmp_path / "cache")
    with open_store(tmp_path / "store.db") as store:
        poor = place(store, model, tmp_path / "cache")
        asked = asks(poor, f"compare {UNIT} and {OTHER}", calls=1)
        assert asked.status == "budget"
        assert asked.found.finding.status == "unknown"
        assert "the budget of 1 calls is spent" in asked.found.finding.reason
        assert len(store.queries.experiments(asked.found.run)) == 1
        richer = asks(poor, f"compare {UNIT} and {OTHER}")
        assert (richer.made, richer.reused) == (2, 1)


def test_a_target_without_words_is_told_what_it_can_be_asked(clip_folder: Path, tmp_path: Path) -> None:
    with open_store(tmp_path / "store.db") as store:
        speechless = place(store, clip_folder, tmp_path / "cache")
        with pytest.raises(UserError, match="answers no questions") as refused:
            asks(speechless, "which neurons carry red?")
        assert "read a concept" in refused.value.hint
        finding = asks(speechless, "which neurons read red?").found.finding
        assert finding.rows


def test_a_number_that_no_receipt_holds_is_our_mistake_and_never_an_answer() -> None:
    with pytest.raises(RuntimeError, match="no receipt"):
        check(Answer("It restores much."), {})
