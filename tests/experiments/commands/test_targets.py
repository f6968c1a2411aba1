"""`maieutic targets` on a tiny model in a folder, as a user would point at their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from experiments.commands.app import run
from experiments.commands.targets.check import kind_row
from experiments.registry import EMBEDDED
from tests.tiny import save_blip

QUESTION = "what color is the star ?"


def test_the_list_names_every_embedded_target(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["targets", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["targets"]
    assert [target["name"] for target in listed] == list(EMBEDDED)
    assert {target["state"] for target in listed} <= {"ready", "weights missing"}


def test_describe_gives_the_anatomy_with_its_fingerprint(
    llava_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["targets", "describe", str(llava_folder), "--json"]) == 0
    anatomy = json.loads(capsys.readouterr().out)
    assert anatomy["target"] == str(llava_folder)
    assert anatomy["sight"]["grid"] == [2, 2]
    assert len(anatomy["fingerprint"]) == 64


@pytest.mark.parametrize("family", ["llava", "clip"])
def test_describe_shows_both_towers_to_people(
    family: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["targets", "describe", str(request.getfixturevalue(f"{family}_folder"))]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("vision", "language", "2×2", "fingerprint"))


def test_describe_shows_all_towers_of_cross_attention(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(save_blip(tmp_path / "blip"))
    assert run(["targets", "describe", folder, "--json"]) == 0
    beside = json.loads(capsys.readouterr().out)["beside"]
    assert list(beside) == ["question", "cross", "recall"]
    assert beside["cross"]["heads"] == beside["question"]["heads"] and beside["cross"]["mlp_width"] == 0
    assert run(["targets", "describe", folder]) == 0
    shown = capsys.readouterr().out
    assert all(tower in shown for tower in ("vision", "question", "cross", "recall", "language"))


def test_ask_answers_about_a_picture_file(
    llava_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "picture.png"
    Image.new("RGB", (30, 20), "red").save(path)
    assert run(["targets", "ask", str(llava_folder), QUESTION, "--image", str(path), "--json"]) == 0
    reply = json.loads(capsys.readouterr().out)
    assert reply["image"] == str(path)
    assert reply["truth"] is None
    assert isinstance(reply["answer"], str)


def test_ask_sets_the_worlds_own_answer_beside_the_targets(
    llava_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["targets", "ask", str(llava_folder), "what is the background ?", "--seed", "5", "--json"]
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out)["truth"] in {"dark", "light", "gray", "checkered", "wavy"}


def test_a_question_outside_the_grammar_is_answered_all_the_same(
    llava_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["targets", "ask", str(llava_folder), "why is the sky ?", "--seed", "5"]) == 0
    assert "not in the grammar" in capsys.readouterr().err


def test_a_picture_that_is_missing_is_refused_before_any_model_is_opened(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["targets", "ask", "no-such-target", QUESTION, "--image", "nowhere.png"]) == 1
    assert capsys.readouterr().err.startswith("Error: `nowhere.png` does not exist\n")


def test_the_device_comes_from_the_environment_unless_a_flag_says_otherwise(
    llava_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAIEUTIC_DEVICE", "abacus")
    assert run(["targets", "describe", str(llava_folder)]) == 1
    assert "`abacus` is not a device" in capsys.readouterr().err
    assert run(["targets", "describe", str(llava_folder), "--device", "cpu"]) == 0


def test_a_check_row_shows_the_interval_and_the_grey_control() -> None:
    measured = {"accuracy": 0.5, "ci": [0.4, 0.6], "n": 100, "chance": 0.125}
    grey = {"accuracy": 0.1, "ci": [0.05, 0.2], "n": 100}
    assert kind_row("color", {**measured, "grey": grey}) == (
        "color",
        "0.500 [0.400, 0.600]",
        "100",
        "0.125",
        "0.100 [0.050, 0.200]",
    )
    assert kind_row("context", measured)[-1] == ""
