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
