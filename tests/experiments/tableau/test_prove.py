"""A proof keeps what it has for these very weights, and measures everything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from experiments.tableau import prove
from experiments.tableau.models import llava_processor, new_llava
from tests.tiny import save_llava


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model of this world."""
    where = tmp_path_factory.mktemp("model")
    new_llava(3).save_pretrained(where)
    llava_processor().save_pretrained(where)
    return where


def run(*arguments: str) -> Any:
    return CliRunner().invoke(prove.app, [*arguments, "--quick", "--device", "cpu"])


def test_a_part_is_measured_once_for_the_same_weights(folder: Path, tmp_path: Path) -> None:
    call = ("--only", "captions", "--target", str(folder), "--folder", str(tmp_path))
    assert run(*call).exit_code == 0
    record = json.loads((tmp_path / "captions.json").read_text(encoding="utf-8"))
    assert len(record["captions"]) == prove.QUICK.captions
    assert record["versions"].keys() == {"torch", "transformers"} and record["seconds"] >= 0
    assert (tmp_path / "captions.png").is_file()
    (tmp_path / "captions.json").write_text(json.dumps(record | {"seconds": -1}), encoding="utf-8")
    assert run(*call).exit_code == 0
    assert json.loads((tmp_path / "captions.json").read_text(encoding="utf-8"))["seconds"] == -1
    changed = record | {"seconds": -1, "fingerprint": "other weights"}
    (tmp_path / "captions.json").write_text(json.dumps(changed), encoding="utf-8")
    assert run(*call).exit_code == 0
    assert json.loads((tmp_path / "captions.json").read_text(encoding="utf-8"))["seconds"] >= 0


def test_a_part_that_is_not_known_is_refused_with_the_parts_there_are() -> None:
    result = run("--only", "florrs")
    assert result.exit_code == 2
    assert "`florrs` is not a part" in result.output and ", ".join(prove.PARTS) in result.output


def test_a_model_of_another_world_is_refused(tmp_path: Path) -> None:
    result = run("--only", "lens", "--target", str(save_llava(tmp_path / "other")), "--folder", str(tmp_path))
    assert result.exit_code == 1
    assert "does not speak the language of this world" in result.output
