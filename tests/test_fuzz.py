"""Whatever is typed, sent or written into a file: no traceback reaches a user, only a sentence and an exit code."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.openai_planner import interpret, readable
from agent.prices import read_prices
from agent.steps import STEPS
from agent.thread import Left, ThreadView
from experiments.commands.app import run
from experiments.questions_file import NAME, read_questions
from experiments.settings import FILE, NAMES, read_settings
from store.address import Extent, Layers, parse, parse_set
from store.errors import MaieuticError, PlannerError, UserError
from tools import door
from tools.scoring.concept import read
from tools.scoring.normal import canonical
from tools.scoring.plain import describe, label
from tools.tool import TOOLS

FEW = settings(max_examples=60, derandomize=True, database=None)
COMMANDS = settings(max_examples=6, derandomize=True, database=None)
EXTENT = Extent("tiny", {"vision": Layers(2, 8, 2), "language": Layers(3, 6, 4)})
VIEW = ThreadView(parse("language.0.mlp.3"), "tiny", "llava", 0, 0, Left(5))
CODES = (0, 1, 2, 3, 4)

words = st.text(st.characters(codec="utf-8"), max_size=40)
pieces = st.lists(
    st.sampled_from(
        [
            *"language vision connector mlp head sae resid * [ ] : . , - 0 3 ² ٣ neuron [0:4]".split(),
            " ",
            "\n",
            "9" * 20,
        ]
    ),
    max_size=12,
).map("".join)
formulas = st.lists(
    st.sampled_from(
        [
            "red",
            "star",
            "&",
            "|",
            "!",
            "(",
            ")",
            "+",
            "0.5",
            "1e999",
            "-1",
            "[",
            "]",
            " ",
            "0",
            "…",
            "is",
            "no",
        ]
    ),
    max_size=14,
).map(" ".join)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | words
    | st.sampled_from(["language.0.mlp.3", "star", "e1"])
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(autouse=True, scope="module")
def elsewhere() -> Iterator[None]:
    """A working folder without settings, and a home without a store."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", folder)
        for name in list(os.environ):
            if name.startswith("MAIEUTIC_"):
                patch.delenv(name)
        os.chdir(folder)
        yield
        os.chdir(before)


@contextmanager
def answered(*kinds: str) -> Iterator[None]:
    """A block that ends, or is answered with an error of these kinds."""
    try:
        yield
    except MaieuticError as error:
        if error.kind not in kinds or not error.message:
            raise AssertionError(f"{error.kind}: {error.message}") from error


def named(model: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments of which some have the right names."""
    return st.dictionaries(st.sampled_from(sorted(model.model_fields)) | words, values, max_size=4)


@pytest.mark.parametrize("text", [pieces, words], ids=["pieces", "words"])
def test_any_address_is_one_or_is_answered(text: st.SearchStrategy[str]) -> None:
    @FEW
    @given(text)
    def check(told: str) -> None:
        for one in (lambda: parse(told), lambda: parse(told, EXTENT), lambda: parse_set(told, EXTENT)):
            with answered("address"):
                one()

    check()


@pytest.mark.parametrize("text", [formulas, words], ids=["formulas", "words"])
def test_any_concept_is_one_or_is_answered(text: st.SearchStrategy[str]) -> None:
    @FEW
    @given(text)
    def check(told: str) -> None:
        concept = None
        with answered("concept"):
            concept = read(told)
        assert concept is None or (describe(concept) and label(concept) and canonical(told))

    check()


@pytest.mark.parametrize(
    "deep", ["(" * 5000 + "red" + ")" * 5000, "!" * 5000 + "red", "red & " * 5000 + "red"]
)
def test_a_concept_without_bottom_is_one_or_is_answered(deep: str) -> None:
    with answered("concept"):
        read(deep)


@settings(FEW, max_examples=250)
@given(st.data())
def test_any_arguments_of_any_tool_fit_or_are_answered(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(TOOLS)) | words)
    given_ = data.draw(
        named(TOOLS[name].arguments) if name in TOOLS else st.dictionaries(words, values, max_size=2)
    )
    with answered("unknown_tool", "arguments"):
        door.check(name, given_)


@settings(FEW, max_examples=120)
@given(st.data())
def test_any_call_that_a_model_makes_becomes_a_decision(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(STEPS)) | st.sampled_from(sorted(TOOLS)) | words)
    model = STEPS[name].arguments if name in STEPS else TOOLS[name].arguments if name in TOOLS else None
    told = data.draw(named(model) if model else values)
    decision = interpret(VIEW, "", [readable(name, json.dumps(told))])
    decision.model_dump_json().encode()


@FEW
@given(words | st.binary(max_size=60))
def test_any_settings_file_is_read_or_is_answered(told: str | bytes) -> None:
    path = Path(FILE)
    path.write_bytes(told if isinstance(told, bytes) else told.encode())
    with answered("settings"):
        read_settings(Path.cwd())
    path.unlink()


@COMMANDS
@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.sampled_from(['"x"', "7", "-1", "true", "[1]", "{a = 1}", "1.5", '""']),
        max_size=4,
    )
)
def test_any_settings_of_a_command_are_taken_or_are_answered(told: dict[str, str]) -> None:
    path = Path(FILE)
    path.write_text("".join(f"{name} = {value}\n" for name, value in told.items()), encoding="utf-8")
    try:
        assert run(["show", "runs", "--json"]) in CODES and run(["label", "--json"]) in CODES
    finally:
        path.unlink()


@COMMANDS
@given(
    st.dictionaries(
        st.sampled_from(
            ["STORE", "SEED", "DEVICE", "PLANNER", "JUDGE", "IMAGES", "PRICES", "TIMEOUT", "RETRIES"]
        ),
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300),
        max_size=4,
    )
)
def test_any_environment_is_taken_or_is_answered(told: dict[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(f"MAIEUTIC_{name}", value)
        assert run(["show", "runs", "--json"]) in CODES and run(["label", "--json"]) in CODES


@COMMANDS
@given(st.lists(words, max_size=4))
def test_any_words_of_a_command_are_taken_or_are_answered(told: list[str]) -> None:
    for command in (
        ["show"],
        ["search"],
        ["show", "experiment"],
        ["show", "component"],
        ["label", "--components"],
    ):
        assert run([*command, *told, "--json"]) in CODES


@FEW
@given(
    words
    | st.binary(max_size=60)
    | values.map(lambda value: f"models = {json.dumps(value)}")
    | values.map(json.dumps)
)
def test_any_price_file_is_read_or_is_answered(told: str | bytes) -> None:
    path = Path("prices.toml")
    path.write_bytes(told if isinstance(told, bytes) else told.encode())
    with answered("prices"):
        read_prices(path)


@FEW
@given(
    words
    | st.binary(max_size=60)
    | values.map(json.dumps)
    | st.dictionaries(st.sampled_from(["file_name", "question", "answer"]), values, max_size=3).map(
        json.dumps
    )
)
def test_any_file_of_questions_is_read_or_is_answered(told: str | bytes) -> None:
    path = Path(NAME)
    path.write_bytes(told if isinstance(told, bytes) else told.encode())
    with answered("images"):
        read_questions(Path.cwd(), [Path.cwd() / "cat.png"])


@pytest.mark.parametrize("depth", [100, 5000])
def test_files_without_bottom_are_answered(depth: int) -> None:
    deep = "[" * depth
    for name, write, read_ in (
        (FILE, f"a = {deep}", lambda: read_settings(Path.cwd())),
        ("prices.toml", f"a = {deep}", lambda: read_prices("prices.toml")),
        (NAME, deep, lambda: read_questions(Path.cwd(), [])),
    ):
        Path(name).write_text(write, encoding="utf-8")
        with pytest.raises(UserError):
            read_()
        Path(name).unlink()


def test_errors_of_ours_are_all_maieutic_errors() -> None:
    """What the tests above accept is what the command turns into a sentence."""
    assert issubclass(UserError, MaieuticError) and issubclass(PlannerError, MaieuticError)
