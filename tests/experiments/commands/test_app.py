"""The command line's manners: streams, exit codes, errors for people and for machines, and a quick `--help`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from experiments.commands.app import run

USAGE_MISTAKES = [
    ["dance"],
    ["targets", "describe"],
    ["targets", "check", "tableau-llava", "--n", "many"],
    ["targets", "check", "tableau-llava", "--n", "0"],
    ["targets", "ask", "tableau-llava", "what ?", "--seed", "1", "--image", "x.png"],
    ["targets", "ask", "tableau-llava", "  "],
    ["show", "world", "--count", "0"],
    ["show", "world", "-o", "sheet.xyz"],
    ["show", "world", "--no-such-flag"],
]


@pytest.mark.parametrize("arguments", USAGE_MISTAKES, ids=" ".join)
def test_wrong_words_exit_with_2_and_say_so_on_stderr(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("Error: ")
    assert "\nHint: " in output.err


@pytest.mark.parametrize("arguments", USAGE_MISTAKES, ids=" ".join)
def test_wrong_words_are_one_json_object_where_a_machine_reads(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error.keys() == {"kind", "message", "hint"}
    assert error["kind"] == "usage"


def test_a_users_mistake_exits_with_1_and_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["targets", "describe", "tableau-lava", "--json"]) == 1
    output = capsys.readouterr()
    assert json.loads(output.out)["error"] == {
        "kind": "unknown_target",
        "message": "`tableau-lava` is neither an embedded target, nor a folder, nor a hub id",
        "hint": "did you mean `tableau-llava`?",
    }
    assert output.err.count("\n") == 2


def test_an_interruption_exits_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("experiments.commands.targets.show_list", interrupt)
    assert run(["targets", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "interrupted"


def test_our_own_bug_keeps_its_traceback_and_is_json_as_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("experiments.commands.targets.show_list", stumble)
    with pytest.raises(ZeroDivisionError):
        run(["targets", "--json"])
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "bug"


def test_bare_maieutic_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "Usage: maieutic" in capsys.readouterr().out


def test_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == "maieutic 0.1.0\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["show", "--help"],
        ["show", "world", "--help"],
        ["show", "world", "--count", "1", "-o", "{folder}/sheet.png"],
        ["targets", "--help"],
        ["targets", "ask", "--help"],
        ["targets", "list"],
        ["targets", "--json"],
    ],
    ids=" ".join,
)
def test_what_needs_no_model_imports_no_torch(
    arguments: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    words = [word.format(folder=tmp_path_factory.mktemp("out")) for word in arguments]
    program = f"""
import sys
from maieutic import main
sys.argv = ["maieutic", *{words!r}]
try:
    main()
finally:
    heavy = {{"torch", "transformers"}} & set(sys.modules)
    assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_color_is_honored_even_where_color_is_forced() -> None:
    environment = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "maieutic", "targets", "list"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert "\x1b[3" not in done.stdout
    assert "tableau-llava-random" in done.stdout
    assert "hub id" in done.stderr


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def stumble(*_: Any) -> None:
    raise ZeroDivisionError("one of our own")
