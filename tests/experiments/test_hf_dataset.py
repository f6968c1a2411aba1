"""Saved datasets: their pictures, their questions, and what is refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from experiments.hf_dataset import is_dataset, open_dataset
from store.errors import UserError
from tests.experiments.test_photos import noise


def png(number: int) -> bytes:
    buffer = io.BytesIO()
    noise(number).save(buffer, "PNG")
    return buffer.getvalue()


def table(numbers: range, **columns: list[str]) -> Any:
    from datasets import Dataset, Image  # type: ignore[import-untyped]

    rows = [{"bytes": png(number), "path": None} for number in numbers]
    return Dataset.from_dict({"photo": rows, **columns}).cast_column("photo", Image())


def test_a_saved_table_is_a_collection(tmp_path: Path) -> None:
    place = tmp_path / "shots"
    words = [f"what is it {number}?" for number in range(40)]
    table(range(40), question=words, answer=["yes"] * 40).save_to_disk(place)
    assert is_dataset(place)
    splits = open_dataset(place)
    assert sum(map(len, splits)) == 40
    asked = [split.asked(index) for split in splits for index in range(len(split))]
    assert sorted(stimulus.question for stimulus in asked) == sorted(words)
    assert {stimulus.answer for stimulus in asked} == {"yes"}
    for stimulus in asked:
        number = words.index(stimulus.question)
        assert stimulus.image.tobytes() == noise(number).tobytes()


def test_splits_of_a_saved_dataset_are_joined_and_doubles_dropped(tmp_path: Path) -> None:
    from datasets import DatasetDict

    place = tmp_path / "shots"
    DatasetDict({"train": table(range(30)), "test": table(range(20, 40))}).save_to_disk(place)
    splits = open_dataset(place)
    assert sum(map(len, splits)) == 40
    assert splits.train.asked(0).answer == ""


def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    from datasets import Dataset

    Dataset.from_dict({"caption": ["a dog"]}).save_to_disk(tmp_path / "words")
    with pytest.raises(UserError, match="`words` has no column of pictures, only caption"):
        open_dataset(tmp_path / "words")
    torn = table(range(30))
    rows = [{"bytes": png(number) if number != 7 else b"GIF89a torn", "path": None} for number in range(30)]
    Dataset.from_dict({"photo": rows}).cast_column("photo", torn.features["photo"]).save_to_disk(
        tmp_path / "torn"
    )
    with pytest.raises(UserError, match=r"`torn\[7\]`"):
        open_dataset(tmp_path / "torn")
    (tmp_path / "dataset_info.json").write_text("{}")
    with pytest.raises(UserError, match="can't be read as a dataset"):
        open_dataset(tmp_path)
    assert not is_dataset(tmp_path / "nowhere")
