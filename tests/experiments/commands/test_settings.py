"""Settings: a flag counts more than the environment, that more than `maieutic.toml`, and that more than a default."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.commands.app import run
from experiments.settings import as_defaults, read_settings
from store.errors import UserError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of its own, and no settings in the environment."""
    for name in ("MAIEUTIC_STORE", "MAIEUTIC_ARTIFACTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


Missed = Callable[..., str]


@pytest.fixture
def missed(folder: Path, capsys: pytest.CaptureFixture[str]) -> Missed:
    """Where a reading command looks for its store, as it says when there is none."""

    def where(*words: str) -> str:
        assert run(words) == 1
        return capsys.readouterr().err.split("`")[1].removeprefix(f"{folder}/")

    return where


def test_without_any_setting_the_store_lies_in_the_users_data_folder(missed: Missed) -> None:
    assert missed("show", "runs") == "home/maieutic/store.db"


def test_a_flag_goes_before_the_environment_before_the_file(
    folder: Path, missed: Missed, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "maieutic.toml").write_text('store = "file.db"\n')
    assert missed("show", "runs") == "file.db"
    monkeypatch.setenv("MAIEUTIC_STORE", "environment.db")
    assert missed("show", "runs") == "environment.db"
    assert missed("show", "runs", "--store", "flag.db") == "flag.db"
    assert missed("search", "red", "--store", "flag.db") == "flag.db"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('stroe = "x.db"', "`stroe`"),
        ('api_key = "secret"', "`api_key`"),
        ("store = ", "can't be read"),
    ],
)
def test_a_file_that_makes_no_sense_ends_the_command_in_one_sentence(
    folder: Path, text: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "maieutic.toml").write_text(text)
    assert run(["show", "runs"]) == 1
    err = capsys.readouterr().err
    assert told in err and "maieutic.toml" in err and "Traceback" not in err
    assert list(folder.rglob("*.db")) == []


def test_a_name_that_is_nearly_right_gets_the_right_one_as_a_hint(folder: Path) -> None:
    (folder / "maieutic.toml").write_text('stroe = "x.db"')
    with pytest.raises(UserError) as refused:
        read_settings(folder)
    assert refused.value.hint == "did you mean `store`?"


def test_settings_reach_commands_and_those_below_them() -> None:
    assert as_defaults({}, ["label"], ["runs"]) == {}
    found = as_defaults({"seed": 3}, ["label", "show"], ["runs"])
    assert found["label"]["seed"] == found["show"]["runs"]["seed"] == 3
