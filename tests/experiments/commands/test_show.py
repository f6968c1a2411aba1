"""`maieutic show world` paints a sheet and says where it lies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from experiments.commands.app import run


def test_the_sheet_is_written_and_its_path_is_the_only_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new" / "sheet.png"
    assert run(["show", "world", "--output", str(path), "--count", "3"]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    with Image.open(path) as sheet:
        assert sheet.width > 3 * 112


def test_same_seed_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    for path, seed in zip(paths, ("7", "7", "8"), strict=True):
        assert run(["show", "world", "-o", str(path), "--count", "2", "--seed", seed, "--json"]) == 0
    first, again, other = (path.read_bytes() for path in paths)
    assert first == again != other
    assert len(json.loads(capsys.readouterr().out.split("}\n{")[0] + "}")["captions"]) == 2


def test_every_tool_is_listed_with_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "tools"]) == 0
    told = capsys.readouterr().out
    assert "top_exemplars" in told and "make_pairs" in told and "[reading]" in told


def test_tools_as_json_are_the_schemas_that_language_models_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "tools", "--json"]) == 0
    schemas = json.loads(capsys.readouterr().out)["tools"]
    assert {schema["type"] for schema in schemas} == {"function"}
    ablate = next(one["function"] for one in schemas if one["function"]["name"] == "ablate")
    assert ablate["parameters"]["required"] == ["component"]


def test_the_worlds_pictures_lie_in_a_new_folder_with_what_they_are_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "world"
    words = ["show", "pictures", "-o", str(folder), "--images", "tableau:3/2/1"]
    assert run([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"path": str(folder), "pictures": 6}
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
    assert [row["file_name"] for row in rows] == sorted(path.name for path in folder.glob("*.png"))
    assert all(row["question"] for row in rows) and set(rows[0]) == {"file_name", "question", "answer"}
    assert run(words) == 1
    assert "is not an empty folder" in capsys.readouterr().err


def test_pictures_of_another_world_are_not_painted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", "pictures", "-o", str(tmp_path / "x"), "--images", "holiday"]) == 1
    assert "`holiday` is not the embedded world" in capsys.readouterr().err
