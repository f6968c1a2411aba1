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
