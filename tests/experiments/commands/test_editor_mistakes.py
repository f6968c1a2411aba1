"""Editors that fail in every known way, met by a command: a sentence, an exit code, and nothing half-written."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.tableau.intents import TableauIntents
from experiments.tableau.recall import recall
from experiments.tableau.scene import SHAPES
from experiments.tableau.source import TableauSource
from store.database import open_store
from tests.labelling import IMAGES, Labelled, Place, Said
from tests.tools.editing.images_server import Asked, Line, Reply, Server, holds, refuses, serving, shows
from tools.stimuli import Stimulus

COMPONENT = "vision.3.mlp.0"
KEY = "sk-maieutic-tests-0123456789abcdef"


def shown() -> Stimulus:
    """A picture whose first thing is the only one of its color."""
    source = TableauSource("train", 40)
    for number in range(40):
        things = recall(f"train/{number}").scene.things
        if len({thing.color for thing in things}) == len(things) == 3:
            return source.picture(number)
    raise AssertionError("no such picture")


SHOWN = shown()
THING = recall(SHOWN.key).scene.things[0]
ABSENT = next(shape for shape in SHAPES if shape not in {one.shape for one in recall(SHOWN.key).scene.things})
REMOVE = f"remove the {THING.color} {THING.shape}"


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    """A store of its own beside the index that is there; what editors made lies in the cache under other words."""
    return Place(tmp_path, labelled.place.cache, KEY)


def asks(place: Place, server: Server, instruction: str, *more: str) -> Said:
    return place.says(
        "run", "edit", "-s", f"component={COMPONENT}", "-s", f"image={SHOWN.key}", "-s", f"instruction={instruction}",
        "--images", IMAGES, "--editor", f"openai:brush-{place.folder.name}", "--base-url", server.url, "--json", *more,
    )  # fmt: skip


def nothing_is_half_written(place: Place) -> bool:
    with open_store(str(place.store)) as record:
        experiments = list(record.queries.experiments())
    partial = [path for folder in (place.folder, place.cache) for path in folder.rglob("*.partial")]
    return not experiments and not partial


def exact(change: Callable[[Image.Image], Image.Image] = lambda picture: picture) -> Line:
    """The endpoint carries the instruction out exactly, and answers with the picture as `change` makes it."""

    def answers(asked: Asked) -> Reply:
        after = TableauIntents().edit(SHOWN, asked.fields["prompt"], 1).after.image
        return shows(change(after))

    return answers


def jpeg(picture: Image.Image) -> Reply:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=95)
    return holds({"b64_json": base64.b64encode(buffer.getvalue()).decode()})


def gray(picture: Image.Image) -> Image.Image:
    """16 bits a pixel and no color: of an endpoint that is told a region only what lies in it is taken."""
    return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)


def see_through(picture: Image.Image) -> Image.Image:
    picture = picture.convert("RGB")
    picture.putalpha(255)
    return picture


@pytest.mark.parametrize(
    ("instruction", "told"),
    [
        (f"remove the {ABSENT}", f"there is no `{ABSENT}`"),
        ("remove the elephant", "elephant"),
        ("dance", "dance"),
    ],
    ids=["not there", "unknown", "no instruction"],
)
def test_what_is_not_there_or_not_understood_is_refused_before_anybody_is_asked(
    place: Place, instruction: str, told: str
) -> None:
    with serving(refuses(500, "not to be asked")) as server:
        said = asks(place, server, instruction)
        assert server.requests == []
    assert said.code != 0 and told in said.json["error"]["message"] and said.json["error"]["hint"]
    assert nothing_is_half_written(place)


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: picture,
        lambda picture: picture.resize((512, 512)),
        see_through,
        gray,
    ],
    ids=["as asked", "another size", "transparency", "16 bits"],
)
def test_a_right_edit_is_proved_also_at_another_size_with_transparency_and_in_16_bits(
    place: Place, change: Callable[[Image.Image], Image.Image]
) -> None:
    with serving(exact(change)) as server:
        said = asks(place, server, REMOVE)
    assert said.code == 0, said.out
    assert "redrawn" in said.json["result"]["picture"]["key"] and said.json["result"]["warnings"] == []


def test_a_right_edit_in_inks_is_read_as_colors(place: Place) -> None:
    def answers(asked: Asked) -> Reply:
        return jpeg(TableauIntents().edit(SHOWN, asked.fields["prompt"], 1).after.image.convert("CMYK"))

    with serving(answers) as server:
        said = asks(place, server, REMOVE)
    assert said.code == 0, said.out


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (shows(Image.new("RGB", (1024, 1024))), "black all over, as safety filters leave it"),
        (refuses(400, "Your request was rejected by our safety system"), "refused to show this"),
        (shows(Image.new("RGB", (1024, 512), "navy")), "another shape"),
        (shows(Image.new("RGB", (1, 1), "red")), "one color all over"),
        (Reply({"error": {"message": "busy"}}, 503, headers={"retry-after-ms": "1"}), "answered 503"),
        (Reply(b"<html>"), "holds no picture"),
        (exact(lambda picture: SHOWN.image), "came back as it was given"),
    ],
    ids=["black", "safety", "shape", "one pixel", "overload", "no answer", "idle"],
)
def test_an_answer_that_is_no_edit_is_tried_three_times_and_refused_with_the_reason(
    place: Place, line: Line, told: str
) -> None:
    with serving(line) as server:
        said = asks(place, server, REMOVE)
        assert len({asked.fields["prompt"] for asked in server.requests}) == 1
    error = said.json["error"]
    assert said.code == 1 and error["kind"] == "unproved" and told in error["message"], said.out
    assert "was tried 3 times" in error["message"] and KEY not in said.out + said.err
    assert nothing_is_half_written(place)


@pytest.mark.parametrize(("status", "kind"), [(401, "endpoint-key"), (404, "endpoint-model")])
def test_what_no_try_would_cure_is_told_at_once(place: Place, status: int, kind: str) -> None:
    with serving(refuses(status, f"no ({KEY})")) as server:
        said = asks(place, server, REMOVE)
        assert len(server.requests) == 1
    assert said.code == 1 and said.json["error"]["kind"] == kind and KEY not in said.out + said.err
    assert nothing_is_half_written(place)


def test_a_busy_editor_is_asked_again_as_often_as_was_said(place: Place) -> None:
    busy = Reply({"error": {"message": "busy"}}, 503, headers={"retry-after-ms": "1"})
    with serving(busy) as server:
        said = asks(place, server, REMOVE, "--retries", "1")
        assert len(server.requests) == 3 * 2, "three attempts, each asked for twice"
    assert said.code == 1 and "answered 503" in said.json["error"]["message"]


def test_a_silent_editor_is_waited_for_as_long_as_was_said(place: Place) -> None:
    with serving(Reply(b"too late", delay=10.0)) as server:
        said = asks(place, server, REMOVE, "--retries", "0", "--timeout", "0.2")
    assert said.code == 1 and "did not answer within 0.2 seconds" in said.json["error"]["message"]
