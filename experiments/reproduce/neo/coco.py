"""Items from a folder with pictures and the instances file of COCO: things of which a picture has one, of some size.

Knows COCO's JSON (Lin et al. 2014): images, annotations with polygons, categories. Which things: as Neo et al. 2024,
one of its category in a picture of fewer than four annotated things, that covers two to four per cent of it. Questions
with known answers come from `metadata.jsonl` beside the pictures, where there is one. Knows nothing about targets.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from pydantic import BaseModel, ValidationError

from experiments.photos import SUFFIXES
from experiments.questions_file import Asked, read_questions
from experiments.reproduce.neo.items import FEWEST, Item, Mask, Pictures
from store.errors import UserError
from tools.images import open_image
from tools.methods.retold import named_in
from tools.polling_judge import worded
from tools.stimuli import Stimulus

SIZES = (0.02, 0.04)
"""Share of the picture that a thing must cover: least and most."""
MOST_THINGS = 3
REFERENCE = 256
LONGEST = 64
CAPTION = "Describe the image."
PLURALS = {"person": "people", "knife": "knives", "mouse": "mice", "sheep": "sheep"}


class _Image(BaseModel):
    id: int
    file_name: str
    width: int
    height: int


class _Annotation(BaseModel):
    image_id: int
    category_id: int
    segmentation: list[list[float]] | dict[str, object] = []
    iscrowd: int = 0


class _Category(BaseModel):
    id: int
    name: str


class Instances(BaseModel):
    """The parts of an instances file that are read."""

    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


class _Thing(NamedTuple):
    image: _Image
    word: str
    polygons: list[list[float]]
    others: list[list[float]]


def photographed(folder: str, n: int, seed: int) -> Pictures:
    """`n` items in an order drawn by `seed`, all where there are fewer.

    Raises UserError that names the file and the rule it broke, and where fewer than FEWEST things are suited.
    """
    place = Path(folder).expanduser()
    known = read_instances(place)
    paths = {path.name: path for path in sorted(place.rglob("*")) if path.suffix.lower() in SUFFIXES}
    told = read_questions(place, list(paths.values()))
    things = [thing for thing in _suited(known) if Path(thing.image.file_name).name in paths]
    if len(things) < FEWEST:
        raise UserError(
            f"`{folder}` has {len(things)} things that can be items: one of its category in a picture of at most "
            f"{MOST_THINGS}, covering {SIZES[0]:.0%} to {SIZES[1]:.0%} of it, whose picture is there",
            kind="images",
            hint=f"give a folder with at least {FEWEST}",
        )
    order = np.random.default_rng(seed).permutation(len(things))
    items = [_item(things[number], paths, told) for number in order[:n]]
    used = {thing.image.file_name for thing in things}
    free = [image for image in known.images if image.file_name not in used] or known.images
    reference = [
        Stimulus(image.file_name, open_image(paths[Path(image.file_name).name]))
        for image in free
        if Path(image.file_name).name in paths
    ]
    return Pictures(
        place.name,
        tuple(items),
        tuple(reference[:REFERENCE]),
        f"things of {SIZES[0]:.0%}–{SIZES[1]:.0%} of the picture, one of a category, at most {MOST_THINGS} in all",
        LONGEST,
    )


def read_instances(folder: Path) -> Instances:
    """The instances file in the folder or below it. Raises UserError where there is none, several, or a broken one."""
    if not folder.is_dir():
        raise UserError(
            f"`{folder}` is not a folder",
            kind="images",
            hint="give `tableau`, or a folder with pictures and the instances file of COCO",
        )
    files = sorted(folder.rglob("instances*.json"))
    if len(files) != 1:
        names = ", ".join(f"`{file.name}`" for file in files) or "none"
        raise UserError(
            f"`{folder}` must hold one file `instances….json` that says where things are; there: {names}",
            kind="images",
            hint="give a folder such as COCO's val2017 with its instances_val2017.json",
        )
    try:
        return Instances.model_validate(json.loads(files[0].read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise _broken(files[0], f"`{field}`: {first['msg'].lower()}") from error
    except ValueError as error:
        raise _broken(files[0], str(error)) from error


def drawn(polygons: Sequence[Sequence[float]], width: int, height: int) -> Mask:
    """The pixels inside any of the polygons (x, y, x, y …)."""
    canvas = Image.new("1", (width, height))
    pen = ImageDraw.Draw(canvas)
    for polygon in polygons:
        if len(polygon) >= 6:
            pen.polygon([(x, y) for x, y in zip(polygon[::2], polygon[1::2], strict=False)], fill=1)
    return np.asarray(canvas, dtype=bool)


def called(word: str) -> tuple[str, ...]:
    """The category's name, and more than one of it."""
    if word in PLURALS:
        return word, PLURALS[word]
    ending = "es" if word.endswith(("s", "x", "ch", "sh")) else "s"
    return word, word + ending


def _suited(known: Instances) -> list[_Thing]:
    images = {image.id: image for image in known.images}
    names = {category.id: category.name.strip() for category in known.categories}
    by_image: dict[int, list[_Annotation]] = defaultdict(list)
    for annotation in known.annotations:
        by_image[annotation.image_id].append(annotation)
    found = []
    for number, together in by_image.items():
        if number not in images or len(together) > MOST_THINGS:
            continue
        for one in together:
            alike = [other for other in together if other.category_id == one.category_id]
            word = names.get(one.category_id, "")
            if len(alike) > 1 or one.iscrowd or not word or not isinstance(one.segmentation, list):
                continue
            image = images[number]
            share = drawn(one.segmentation, image.width, image.height).mean()
            if SIZES[0] <= share <= SIZES[1]:
                others = [
                    polygon
                    for other in together
                    if other is not one and isinstance(other.segmentation, list)
                    for polygon in other.segmentation
                ]
                found.append(_Thing(image, word, one.segmentation, others))
    return found


def _item(thing: _Thing, paths: dict[str, Path], told: dict[Path, Asked]) -> Item:
    path = paths[Path(thing.image.file_name).name]
    picture = open_image(path)
    if picture.size != (thing.image.width, thing.image.height):
        raise UserError(
            f"`{path}` has {picture.width}×{picture.height} pixels, its instances file says "
            f"{thing.image.width}×{thing.image.height}",
            kind="images",
            hint="give the pictures that the file was made for",
        )
    own, words = told.get(path), called(thing.word)
    return Item(
        polling=Stimulus(f"{path.name}?{thing.word}", picture, worded()(thing.word), "yes", "polling"),
        caption=Stimulus(f"{path.name}?caption", picture, CAPTION),
        asked=Stimulus(f"{path.name}?", picture, own.question, own.answer, "vqa")
        if own is not None and own.answer
        else None,
        thing=drawn(thing.polygons, *picture.size),
        others=drawn(thing.others, *picture.size),
        words={"class": thing.word},
        names_it=lambda text: named_in(text, words),
    )


def _broken(file: Path, why: str) -> UserError:
    return UserError(
        f"`{file}` is no instances file of COCO ({why})",
        kind="images",
        hint="it is a JSON object with `images`, `annotations` and `categories`",
    )
