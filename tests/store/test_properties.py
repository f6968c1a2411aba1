"""For any record: what goes in comes out, citations are exactly what the text says, and repeating it adds nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from store.database import Store, open_store
from store.rules import cited_in
from tests.store.records import TARGET, UNIT, begin, measure, points, words

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcé", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
arguments = st.dictionaries(st.text("abc", max_size=3), json_values, max_size=3)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("shared") / "store.db") as store:
        begin(store, TARGET)
        yield store


@settings(max_examples=20)
@given(asked=arguments, result=arguments)
def test_any_json_comes_back_as_it_was(shared: Store, asked: dict[str, Any], result: dict[str, Any]) -> None:
    run = shared.queries.runs()[0].id
    step = len(shared.queries.experiments(run))
    asked, result = {"component": UNIT} | asked, {"summary": ""} | result
    recorded = measure(shared, run, step, arguments=asked, result=result)
    assert (recorded.arguments, recorded.result) == (asked, result)
    assert measure(shared, run, step, arguments=asked) == recorded
    assert shared.queries.experiment(recorded.number) == recorded


@given(st.lists(st.lists(st.integers(0, 10**6), min_size=1, max_size=3) | st.text("ab 1e{},.", max_size=6)))
def test_a_text_cites_what_stands_in_it_in_brackets(parts: list[list[int] | str]) -> None:
    marks = [part for part in parts if isinstance(part, list)]
    told = [part if isinstance(part, str) else f"[{', '.join(f'e{n}' for n in part)}]" for part in parts]
    assert cited_in(" ".join(told)) == list(dict.fromkeys(number for mark in marks for number in mark))


class Recording(RuleBasedStateMachine):
    """A run that goes on in any order, is closed and opened again, and is compared with what it should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.where = Path(self.folder.name) / "store.db"
        self.calls: dict[tuple[int, int], int] = {}
        self.sealed: set[int] = set()
        self.label = ""
        self.tested = False

    @initialize()
    def open(self) -> None:
        self.store = open_store(self.where)
        self.run = begin(self.store, TARGET)

    @rule(step=st.integers(0, 2), call=st.integers(0, 2), test=st.booleans())
    def measures(self, step: int, call: int, test: bool) -> None:
        number = measure(self.store, self.run, step, call, split="test" if test else "train").number
        if (step, call) not in self.calls and test:
            self.sealed.add(number)
        assert self.calls.setdefault((step, call), number) == number

    @rule(label=st.sampled_from(["red things", "stars"]))
    def freezes(self, label: str) -> None:
        if self.label not in ("", label):
            with pytest.raises(RuntimeError, match="frozen"):
                self.store.recorder.description(self.run, words(label=label))
        else:
            self.store.recorder.description(self.run, words(label=label))
            self.label = label

    @rule()
    def tests(self) -> None:
        if not self.label:
            with pytest.raises(RuntimeError, match="sealed"):
                self.store.recorder.score(self.run, UNIT, "pearson", points())
        else:
            self.store.recorder.score(self.run, UNIT, "pearson", points())
            self.tested = True

    @precondition(lambda self: self.tested)
    @rule()
    def settles(self) -> None:
        self.store.recorder.settle(self.run, UNIT, "verified")

    @rule()
    def is_opened_again(self) -> None:
        self.store.close()
        self.store = open_store(self.where)

    @invariant()
    def holds_what_was_recorded(self) -> None:
        if not hasattr(self, "run"):
            return
        queries = self.store.queries
        every = {e.number for e in queries.experiments(self.run, test=True)}
        assert every == set(self.calls.values())
        assert {e.number for e in queries.experiments(self.run)} == every - self.sealed
        found = queries.description(self.run, UNIT)
        assert (found.label if found else "") == self.label
        assert queries.scores(self.run, UNIT) == []
        assert len(queries.scores(self.run, UNIT, test=True)) == self.tested

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
        self.folder.cleanup()


TestRecording = Recording.TestCase
TestRecording.settings = settings(max_examples=4, stateful_step_count=10, deadline=None)
