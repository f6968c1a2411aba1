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

from store import opening
from store.database import VERSION_TABLE, open_store
from tests.labelling import ABSTAINED, IMAGES, Labelled, Place, label


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
        (["label", "--resume", "nosuch"], 1, "the store has no run `nosuch`"),
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
    place.says("show", "runs")
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
    place.says("show", "runs")
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
    place.says("show", "runs")
    with closing(sqlite3.connect(place.store)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    set_up = opening._set_up

    def small(connection: sqlite3.Connection, record: object) -> None:
        set_up(connection, record)
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
