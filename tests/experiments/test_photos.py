"""Folders of pictures: split by content, opened with limits, refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.photos import LONGEST, QUESTIONS, SHARES, Photo, PhotoSource, open_photos, shared_out
from store.errors import UserError
from tools.stimuli import ImageSource

NUMBER = 40


def noise(seed: int, side: int = 16) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "holiday"
    (place / "more").mkdir(parents=True)
    for number in range(NUMBER):
        noise(number).save(place / ("more" if number % 2 else ".") / f"{number}.png")
    (place / "notes.txt").write_text("not a picture")
    (place / ".hidden.png").write_text("not looked at")
    return place


def keys(source: PhotoSource) -> list[str]:
    return [source.picture(index).key for index in range(len(source))]


def test_every_picture_falls_to_one_split(folder: Path) -> None:
    splits = open_photos(folder)
    source: ImageSource = splits.train
    assert (source.name, source.split, source.kinds) == ("holiday", "train", ())
    everything = [key for split in splits for key in keys(split)]
    assert len(set(everything)) == len(everything) == NUMBER
    assert [split.split for split in splits] == list(SHARES)
    assert source.ask("color", 3, 0) == []


def test_shares_are_about_half_a_fifth_and_the_rest() -> None:
    hashes = [f"{number * 2**244 // 1000 * 2**12:064x}" for number in range(1000)]
    found = shared_out("x", [Photo(sha256, lambda: noise(0)) for sha256 in hashes])
    assert [len(part) for part in found] == pytest.approx([500, 200, 300], abs=1)


def test_a_picture_stays_where_it_is_when_others_come_or_names_change(folder: Path) -> None:
    before = [set(keys(split)) for split in open_photos(folder)]
    (folder / "0.png").rename(folder / "renamed.png")
    for number in range(NUMBER, NUMBER + 10):
        noise(number).save(folder / f"{number}.bmp")
    noise(3).save(folder / "twin.png")
    after = [set(keys(split)) for split in open_photos(folder)]
    assert all(old <= new for old, new in zip(before, after, strict=True))
    assert sum(map(len, after)) == NUMBER + 10


def test_pictures_come_with_a_question_whose_answer_is_not_known(folder: Path) -> None:
    train = open_photos(folder).train
    asked = [train.asked(index) for index in range(len(train))]
    assert {stimulus.question for stimulus in asked} <= set(QUESTIONS)
    assert len({stimulus.question for stimulus in asked}) > 1
    assert {(stimulus.answer, stimulus.kind) for stimulus in asked} == {("", "")}
    assert asked[0].key == f"{train.picture(0).key}?"
    assert train.picture(0).question == ""


def test_fingerprints_follow_the_content(folder: Path) -> None:
    first = open_photos(folder)
    assert open_photos(folder).train.fingerprint == first.train.fingerprint
    assert len({split.fingerprint for split in first}) == 3


def test_large_pictures_are_scaled_down(folder: Path) -> None:
    Image.new("RGB", (2 * LONGEST, LONGEST // 2), "red").save(folder / "wide.png")
    splits = open_photos(folder)
    sizes = {split.picture(index).image.size for split in splits for index in range(len(split))}
    assert sizes == {(16, 16), (LONGEST, LONGEST // 4)}


def test_a_broken_picture_is_named(folder: Path) -> None:
    (folder / "more" / "torn.jpg").write_bytes(b"\xff\xd8\xff but no more")
    with pytest.raises(UserError, match=r"torn\.jpg"):
        open_photos(folder)


@pytest.mark.parametrize("size", [(15, 40), (4 * LONGEST, 40)])
def test_a_picture_that_is_too_small_is_named(folder: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size).save(folder / "stamp.png")
    with pytest.raises(UserError) as refusal:
        open_photos(folder)
    assert refusal.value.message == (
        f"`{folder / 'stamp.png'}` of {size[0]}×{size[1]} pixels is too small to be looked at"
    )
    assert refusal.value.hint == "leave it out, or give one with sides of at least 16 pixels"


def test_an_enormous_picture_is_named(folder: Path) -> None:
    Image.new("1", (8000, 7000)).save(folder / "poster.png")
    with pytest.raises(UserError, match=r"poster\.png` has 8000×7000 pixels; at most 50 megapixels"):
        open_photos(folder)


def test_folders_without_enough_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        open_photos(tmp_path / "nowhere")
    with pytest.raises(UserError, match="holds no pictures") as caught:
        open_photos(tmp_path)
    assert ".webp" in caught.value.hint
    noise(0).save(tmp_path / "one.png")
    with pytest.raises(UserError, match="has 1 different pictures, too few to be split: none falls to"):
        open_photos(tmp_path)


def test_there_is_nothing_beyond_the_end(folder: Path) -> None:
    train = open_photos(folder).train
    with pytest.raises(IndexError, match=f"not {len(train)}"):
        train.picture(len(train))
