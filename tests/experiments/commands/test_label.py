"""`maieutic label` refuses what can't be done with one sentence, before anything is measured or recorded."""

from __future__ import annotations

import random
import sqlite3
import struct
import zlib
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from experiments.commands.places import lasting_images, lasting_judge, lasting_target
from experiments.registry import EMBEDDED
from store import opening
from store.database import VERSION_TABLE, open_store
from tests.labelling import ABSTAINED, DESCRIBED, IMAGES, Labelled, Place, label


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    return Place(tmp_path, labelled.place.cache)


def nothing_recorded(place: Place) -> bool:
    with open_store(place.store) as store:
        return list(store.queries.export_rows()) == []


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["label"], 2, "`TARGET` is missing"),
        (["label", "tableau-llava"], 2, "`--components` is missing"),
        (label(ABSTAINED, "--limit", "0"), 2, "--limit"),
        (label(ABSTAINED, "--seed", "-1"), 2, "--seed"),
        (label(ABSTAINED, "--no-such-flag"), 2, "--no-such-flag"),
        (label(ABSTAINED, "--planner", "magic"), 2, "`magic` is not a planner"),
        (label(ABSTAINED, "--planner", "recorded:nosuch"), 1, "no run `nosuch`"),
        (label(ABSTAINED, "--device", "gpu9"), 1, "`gpu9` is not a device"),
        (label(ABSTAINED, "--dtype", "int8"), 1, "`int8` is not a number format"),
        (label("rubbish"), 1, '"rubbish" is not a component address'),
        (label(","), 1, "`,` names no component"),
        (label("language.9.mlp.17"), 1, "tableau-llava has 6 language layers (0–5)"),
        (label("language.3.mlp[0:100000]"), 1, "has 288 neurons (0–287)"),
        (label("language.3.mlp[5:5]"), 1, "`[5:5]` is empty"),
        (label("connector"), 1, '"connector" is neither a neuron nor a head'),
        (["label", "tableau-lava", "--components", ABSTAINED], 1, "neither an embedded target, nor a folder"),
        (["label", "--resume", "nosuch"], 1, "there is no store at"),
        (label(ABSTAINED, "--images", "nowhere"), 1, "`nowhere` is no folder of pictures"),
        (label(ABSTAINED, "--images", "tableau:0/1/1"), 1, "leaves a split empty"),
    ],
    ids=lambda value: " ".join(value[1:]) if isinstance(value, list | tuple) else None,
)
def test_words_that_mean_nothing_are_refused_with_their_exit_code(
    place: Place, words: list[str], code: int, told: str
) -> None:
    said = place.says(*words, "--json")
    assert said.code == code
    assert told in said.json["error"]["message"] and said.json["error"]["hint"]
    assert said.err.startswith("Error: ") and "\nHint: " in said.err
    assert nothing_recorded(place)


def test_a_run_that_the_store_does_not_know_is_not_resumed(place: Place) -> None:
    open_store(place.store).close()
    said = place.says("label", "--resume", "nosuch", "--json")
    assert (said.code, said.json["error"]["message"]) == (1, "the store has no run `nosuch`")


@pytest.mark.parametrize(
    "words",
    [
        ["show", "runs"],
        ["show", "run"],
        ["show", "component", DESCRIBED],
        ["show", "experiment", "e1"],
        ["search", "red"],
        ["report"],
        ["export"],
        ["replay", "e1"],
        ["label", "--resume", "nosuch"],
    ],
    ids=lambda words: " ".join(words),
)
def test_reading_where_there_is_no_store_says_so_and_makes_none(place: Place, words: list[str]) -> None:
    mistyped = place.folder / "sub" / "stroe.db"
    said = place.says(*words, "--store", str(mistyped))
    assert said.code == 1 and said.out == ""
    assert said.err == (
        f"Error: there is no store at `{mistyped}`\n"
        "Hint: check the path of `--store`; `maieutic label` begins a new store\n"
    )
    assert list(place.folder.iterdir()) == []


def test_folders_are_remembered_as_they_are_found_from_anywhere(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, elsewhere = place.folder / "pictures", place.folder / "elsewhere"
    elsewhere.mkdir()
    pictures.mkdir()
    chance = random.Random(0)
    for number in range(40):
        noise = Image.frombytes("RGB", (96, 96), chance.randbytes(3 * 96 * 96))
        noise.save(pictures / f"{number}.png")
    (place.folder / "target").symlink_to(EMBEDDED["tableau-llava"].folder)
    monkeypatch.chdir(place.folder)
    words = ["label", "target", "--components", f"{DESCRIBED},{ABSTAINED}", "--images", "pictures"]
    began = place.says(*words, "--judge", "tableau-judge", "--max-calls", "1", "--limit", "1")
    assert began.code == 3, began.err
    run = began.err.split(":")[0].removeprefix("run ")
    with open_store(place.store) as store:
        kept = store.queries.run(run).arguments
    assert kept["target"] == str(place.folder / "target")
    assert kept["images"] == str(pictures)
    monkeypatch.chdir(elsewhere)
    done = place.says("label", "--resume", run, "--json")
    assert done.code == 4 and len(done.json["descriptions"]) == 2, done.err


def test_names_of_embedded_things_stay_names_beside_folders_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("tableau", "tableau-llava", "tableau-judge", "clip"):
        (tmp_path / name).mkdir()
    assert lasting_target("tableau-llava") == "tableau-llava"
    assert lasting_images("tableau") == "tableau" and lasting_images("") == ""
    assert lasting_judge("tableau-judge, clip") == f"tableau-judge,{tmp_path / 'clip'}"
    assert lasting_target("openai/clip-vit-base-patch32") == "openai/clip-vit-base-patch32"


def test_a_folder_without_pictures_is_named(place: Place) -> None:
    empty = place.folder / "empty"
    empty.mkdir()
    said = place.says(*label(ABSTAINED, "--images", str(empty), "--json"))
    assert (said.code, said.json["error"]["message"]) == (1, f"`{empty}` holds no pictures")


@pytest.mark.parametrize(("name", "told"), [("broken.png", "is broken"), ("bomb.png", "megapixels")])
def test_a_picture_that_can_not_be_opened_is_named_with_the_remedy(
    place: Place, name: str, told: str
) -> None:
    pictures = place.folder / "pictures"
    pictures.mkdir()
    for shade in range(12):
        Image.new("RGB", (32, 32), (shade * 20,) * 3).save(pictures / f"{shade}.png")
    (pictures / name).write_bytes(png(60_000) if name == "bomb.png" else png(64)[:-20])
    said = place.says(*label(ABSTAINED, "--images", str(pictures), "--json"))
    error = said.json["error"]
    assert said.code in (1, 3) and error["kind"] == "image"
    assert str(pictures / name) in error["message"] and told in error["message"] and error["hint"]


def test_a_store_from_a_newer_version_is_left_alone(place: Place) -> None:
    open_store(place.store).close()
    with closing(sqlite3.connect(place.store)) as connection, connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '999'")
    before = place.store.read_bytes()
    said = place.says(*label(ABSTAINED, "--json"))
    assert (said.code, said.json["error"]["kind"]) == (1, "store-newer")
    assert "upgrade maieutic" in said.json["error"]["hint"]
    assert place.store.read_bytes() == before


def test_a_file_that_is_no_store_is_refused(place: Place) -> None:
    place.store.write_text("notes of mine " * 100)
    said = place.says(*label(ABSTAINED, "--json"))
    assert (said.code, said.json["error"]["kind"]) == (1, "store-unreadable")
    assert place.store.read_text() == "notes of mine " * 100


def test_a_store_that_another_process_holds_is_one_sentence(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.database.open_store.__kwdefaults__", {"patience": 0.05})
    open_store(place.store).close()
    with closing(sqlite3.connect(place.store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        said = place.says(*label(ABSTAINED, "--json"))
        other.execute("ROLLBACK")
    assert (said.code, said.json["error"]["kind"]) == (1, "store-locked")
    assert "locked by another process" in said.json["error"]["message"]


def test_a_disk_that_fills_up_ends_the_run_with_what_to_do_and_keeps_what_was_acknowledged(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own limit on pages is a full disk to everything above it."""
    open_store(place.store).close()
    with closing(sqlite3.connect(place.store)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    set_up = opening._set_up

    def small(patience: float, connection: sqlite3.Connection, record: object) -> None:
        set_up(patience, connection, record)
        connection.execute(f"PRAGMA max_page_count = {pages + 6}")

    monkeypatch.setattr(opening, "_set_up", small)
    said = place.says(*label(ABSTAINED, "--json"))
    error = said.json["error"]
    assert (said.code, error["kind"]) == (3, "disk-full"), said.err
    assert error["hint"].startswith("make room and resume the run; what was acknowledged is kept")
    monkeypatch.undo()
    with open_store(place.store) as store:
        (run,) = store.queries.runs()
        kept = store.queries.experiments(run.id)
    assert kept and f"--resume {run.id}" in error["hint"]
    done = place.says("label", "--resume", run.id, "--json")
    assert done.json["status"] == "done"
    with open_store(place.store) as store:
        assert store.queries.experiments(run.id)[: len(kept)] == kept


def test_a_run_is_resumed_with_the_weights_it_was_begun_with_or_not_at_all(place: Place) -> None:
    with open_store(place.store) as store:
        store.recorder.target("tableau-llava", "sha256:older", "llava", {})
        words = {"target": "tableau-llava", "components": ABSTAINED, "images": IMAGES}
        run = store.recorder.open_run("label", "sha256:older", words, 0, "builtin")
    said = place.says("label", "--resume", run, "--json")
    assert (said.code, said.json["error"]["kind"]) == (1, "changed_weights")


def png(side: int) -> bytes:
    """A picture that says it is so wide and high, whatever it holds."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(random.Random(0).randbytes(64 * (1 + 3 * 64)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
