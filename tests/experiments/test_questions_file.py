"""Questions that lie beside pictures: read by file name, refused by line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from experiments.photos import QUESTIONS, open_photos
from experiments.questions_file import Asked, beside, read_questions, write_questions
from store.errors import UserError
from tests.experiments.test_photos import noise

NUMBER = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "more").mkdir()
    for number in range(NUMBER):
        noise(number).save(tmp_path / ("more" if number % 2 else ".") / f"{number}.png")
    return tmp_path


def test_what_is_written_is_read_back(folder: Path) -> None:
    asked = {"0.png": Asked("what is this ?", "“noise”"), "more/1.png": Asked("is it red ?")}
    write_questions(folder, asked)
    found = read_questions(folder, [folder / name for name in asked])
    assert found == {folder / name: one for name, one in asked.items()}


def test_a_picture_is_asked_its_own_question_and_others_a_neutral_one(folder: Path) -> None:
    before = {split.fingerprint for split in open_photos(folder)}
    write_questions(folder, {"more/1.png": Asked("is it red ?", "no")})
    splits = open_photos(folder)
    asked = [split.asked(index) for split in splits for index in range(len(split))]
    own = [one for one in asked if one.question == "is it red ?"]
    assert [(one.answer, one.image.tobytes()) for one in own] == [("no", noise(1).tobytes())]
    assert {one.question for one in asked if one not in own} <= set(QUESTIONS)
    assert len(before & {split.fingerprint for split in splits}) == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("cat", r"metadata\.jsonl:2` is no JSON"),
        ('["0.png"]', r"metadata\.jsonl:2` is no object with a `file_name`"),
        ('{"question": "is it ?"}', r"metadata\.jsonl:2` is no object with a `file_name`"),
        ('{"file_name": "0.png", "question": 7}', r"metadata\.jsonl:2` has a `question` that is no text"),
        ('{"file_name": "x.png"}', r"metadata\.jsonl:2` names `x\.png`, which is no picture of the folder"),
    ],
)
def test_a_line_that_says_nothing_is_named(folder: Path, line: str, told: str) -> None:
    (folder / "metadata.jsonl").write_text(f'{{"file_name": "0.png", "question": "?"}}\n{line}\n')
    with pytest.raises(UserError, match=told) as refusal:
        open_photos(folder)
    assert refusal.value.hint.startswith('a line looks like {"file_name": "cat.png"')


def test_a_folder_without_such_a_file_has_no_questions(folder: Path) -> None:
    assert read_questions(folder, []) == {}


def test_a_file_given_beside_a_folder_is_named_as_its_owner_knows_it(folder: Path, tmp_path: Path) -> None:
    asked = tmp_path / "asked.jsonl"
    asked.write_text('{"file_name": "x.png", "question": "?"}\n')
    with (
        beside(str(folder), str(asked)) as copy,
        pytest.raises(UserError, match=re.escape(f"`{asked}:1` names")),
    ):
        open_photos(copy)
    (folder / "0.png").write_bytes(b"no picture")
    asked.write_text('{"file_name": "2.png", "question": "?"}\n')
    with (
        beside(str(folder), str(asked)) as copy,
        pytest.raises(UserError, match=re.escape(str(folder / "0.png"))),
    ):
        open_photos(copy)
