"""What an editor in pixels really changes, judged by `tableau-judge` against the scene graph of what was asked.

Knows edits (trial_edits.py), what a judge sees in a picture, and two controls: the exact edit and the picture before,
both passed through the editor's own autoencoder. The first says what could be reached, the second what is confirmed
of nothing. Knows nothing about how an editor works inside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from math import hypot
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool
from PIL import Image

from experiments.tableau.concepts import WORDS, Concept, read_concept
from experiments.tableau.judge import Judge, Reading
from experiments.tableau.judge_check import NEAR
from experiments.tableau.phrases import ATTRIBUTES
from experiments.tableau.prompt import read_prompt
from experiments.tableau.questions import RELATIONS, Unanswerable, holds
from experiments.tableau.render import masks
from experiments.tableau.scene import Scene, Thing
from experiments.tableau.source import painted
from experiments.tableau.triples import CANVAS, EditKind, Triple
from tools.scoring.intervals import bootstrap_mean, wilson

LOCAL: tuple[EditKind, ...] = ("color", "shape", "fill", "size", "remove")
"""Kinds whose place in the picture is known before; what changes elsewhere is measured for these."""
HALO = 4
"""Pixels around an edit's own that are not counted as elsewhere: cells of the autoencoder are wider than an edge."""
AT_ONCE = 32
"""Pictures that are edited at once."""

Edit = Callable[[Sequence[Image.Image], Sequence[str], Sequence[int]], list[Image.Image]]
"""Pictures, an instruction and a seed for each → pictures after it."""
Redraw = Callable[[Sequence[Image.Image]], list[Image.Image]]


class Verdict(NamedTuple):
    """Whether what was asked for is there, and whether all else is as it was (one thing more or fewer counts)."""

    done: bool
    kept: bool


def check_edits(
    edit: Edit, redraw: Redraw, judge: Judge, asked: Sequence[Triple], seed: int, say: Callable[[int], None]
) -> dict[str, Any]:
    """By kind, for the edits and both controls: shares `done`, `kept` and `both`, and gray levels changed elsewhere.

    The instruction is each triple's first wording; row i has the seed `seed` + i. `say` is told how many are done.
    """
    columns: defaultdict[str, list[tuple[EditKind, Verdict]]] = defaultdict(list)
    elsewhere: defaultdict[EditKind, list[tuple[float, float]]] = defaultdict(list)
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        before = [painted(one.before) for one in part]
        edited = edit(
            before, [one.wordings[0] for one in part], range(seed + start, seed + start + len(part))
        )
        again = redraw(before)
        shown = {
            "edited": edited,
            "exact": redraw([painted(one.after) for one in part]),
            "unedited": again,
        }
        for name, pictures in shown.items():
            seen = seen_scenes(judge, pictures)
            columns[name] += [(one.kind, verdict(one, found)) for one, found in zip(part, seen, strict=True)]
        for one, first, after, redrawn in zip(part, before, edited, again, strict=True):
            if one.kind in LOCAL:
                place = ~_near(_changed(one))
                elsewhere[one.kind].append((_off(first, after, place), _off(first, redrawn, place)))
        say(start + len(part))
    kinds = {
        kind: {
            name: _shares([found for other, found in rows if other == kind]) for name, rows in columns.items()
        }
        | _elsewhere(elsewhere[kind])
        for kind in dict.fromkeys(one.kind for one in asked)
    }
    every = {name: _shares([found for _, found in rows]) for name, rows in columns.items()}
    return {
        "kinds": kinds,
        "all": every | _elsewhere([pair for pairs in elsewhere.values() for pair in pairs]),
    }


def _shares(found: Sequence[Verdict]) -> dict[str, Any]:
    return {
        name: wilson(sum(map(right, found)), len(found)).as_json("share")
        for name, right in (("done", lambda v: v.done), ("kept", lambda v: v.kept), ("both", all))
    }


def _elsewhere(pairs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    if len(pairs) < 2:
        return {}
    names = ("edited", "redrawn")
    means = [bootstrap_mean(column).as_json("gray levels") for column in zip(*pairs, strict=True)]
    return {"elsewhere": dict(zip(names, means, strict=True))}


def seen_scenes(judge: Judge, pictures: Sequence[Image.Image]) -> list[Scene]:
    """What the judge sees in pictures of one size, each attribute in its likeliest word."""
    reading = judge.seen(pictures)
    return [_seen(Reading(*(part[row].cpu() for part in reading))) for row in range(len(pictures))]


def _seen(reading: Reading) -> Scene:
    def word(name: str, index: int) -> Any:
        return WORDS[name][int(getattr(reading, name)[index].argmax())]

    things = [
        Thing(
            **{name: word(name, index) for name in ATTRIBUTES},
            x=float(reading.x[index]),
            y=float(reading.y[index]),
        )
        for index in range(int((reading.thing > 0.5).sum()))
    ]
    background: Any = WORDS["background"][int(reading.background.argmax())]
    return Scene(background, tuple(things))


def verdict(asked: Triple, seen: Scene) -> Verdict:
    """What a picture that shows `seen` is worth as an answer to the instruction."""
    match asked.kind:
        case "background":
            same = _all_there(asked.before.things, seen.things)
            alike = len(seen.things) == len(asked.before.things)
            return Verdict(seen.background == asked.after.background, same and alike)
        case "draw":
            return _drawn(asked, seen)
        case "add":
            return _added(asked, seen)
    gone = [thing for thing in asked.before.things if thing not in asked.after.things]
    rest = [thing for thing in asked.before.things if thing in asked.after.things]
    kept = _all_there(rest, seen.things) and seen.background == asked.before.background
    here = nearest(gone[0], seen.things)
    kept = kept and len(seen.things) == len(rest) + (here is not None)
    if asked.kind == "remove":
        return Verdict(here is None, kept)
    wanted = next(thing for thing in asked.after.things if thing not in asked.before.things)
    others = [name for name in ATTRIBUTES if name != asked.kind]
    done = here is not None and getattr(here, asked.kind) == getattr(wanted, asked.kind)
    same_otherwise = here is None or all(getattr(here, name) == getattr(wanted, name) for name in others)
    return Verdict(done, kept and same_otherwise)


def _added(asked: Triple, seen: Scene) -> Verdict:
    """The new thing may stand wherever the words allow."""
    concept, relation, other = _wish(asked.wordings[0])
    anchors = [thing for thing in asked.before.things if other is not None and other.matches(thing)]
    new = [thing for thing in seen.things if nearest(thing, asked.before.things) is None]
    done = any(
        concept.matches(thing) and (not relation or _stands(relation, thing, anchors[0])) for thing in new
    )
    kept = _all_there(asked.before.things, seen.things) and seen.background == asked.before.background
    return Verdict(done, kept and len(seen.things) <= len(asked.before.things) + 1)


def _wish(instruction: str) -> tuple[Concept, str, Concept | None]:
    """What is to be added, and in which relation to what."""
    words = instruction.removeprefix("add ")
    for relation in RELATIONS:
        thing, found, other = words.partition(f" {relation} the ")
        if found:
            return read_concept(thing), relation, read_concept(other)
    return read_concept(words), "", None


def _stands(relation: Any, thing: Thing, anchor: Thing) -> bool:
    try:
        return holds(relation, thing, anchor)
    except Unanswerable:
        return False


def _drawn(asked: Triple, seen: Scene) -> Verdict:
    """Done when every thing that is named is there, each once; kept when nothing else is, on the right background."""
    wish = read_prompt(asked.wordings[0].removeprefix("draw "))
    grounds = wish.backgrounds if len(wish.backgrounds) == 1 else (CANVAS.background,)
    wanted = list(wish.things or ())
    done = _assigned(wanted, list(seen.things))
    return Verdict(done, seen.background in grounds and len(seen.things) == len(wanted))


def _assigned(wanted: Sequence[Concept], things: Sequence[Thing]) -> bool:
    """Whether each concept can have a thing of its own."""
    if not wanted:
        return True
    return any(
        wanted[0].matches(thing) and _assigned(wanted[1:], [*things[:index], *things[index + 1 :]])
        for index, thing in enumerate(things)
    )


def _all_there(rest: Sequence[Thing], seen: Sequence[Thing]) -> bool:
    """Whether where each of these things stands one is seen that looks the same."""
    found = [nearest(thing, seen) for thing in rest]
    return all(
        here is not None and all(getattr(here, name) == getattr(thing, name) for name in ATTRIBUTES)
        for thing, here in zip(rest, found, strict=True)
    )


def nearest(thing: Thing, among: Sequence[Thing]) -> Thing | None:
    """The thing that stands where this one does; None when there is none."""
    close = [(hypot(one.x - thing.x, one.y - thing.y), index) for index, one in enumerate(among)]
    if not close or min(close)[0] > NEAR:
        return None
    return among[min(close)[1]]


def _changed(asked: Triple) -> Bool[np.ndarray, "height width"]:
    """The pixels that the exact edit changes, and all that the things it touches cover."""
    first, second = (np.asarray(painted(scene)) for scene in (asked.before, asked.after))
    differs: Bool[np.ndarray, "height width"] = (first != second).any(axis=-1)
    for scene, other in ((asked.before, asked.after), (asked.after, asked.before)):
        touched = [index for index, thing in enumerate(scene.things) if thing not in other.things]
        for drawn in masks(scene)[touched]:
            differs = differs | drawn
    return differs


def _near(place: Bool[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """The place and all within HALO pixels of it, across and down."""
    wide = np.pad(place, HALO)
    steps = range(2 * HALO + 1)
    rows, columns = place.shape
    found: Bool[np.ndarray, "height width"] = np.logical_or.reduce(
        [wide[down : down + rows, across : across + columns] for down in steps for across in steps]
    )
    return found


def _off(first: Image.Image, second: Image.Image, place: Bool[np.ndarray, "height width"]) -> float:
    """Mean absolute difference at a place, in gray levels of 255."""
    off = np.abs(np.asarray(first, dtype=np.float64) - np.asarray(second.convert("RGB"), dtype=np.float64))
    return float(off[place].mean())
