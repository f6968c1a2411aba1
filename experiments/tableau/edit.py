"""Exact edits: one scene becomes another that differs in one field.

Knows which changes there are and refuses those that change nothing, overlap something or leave the picture;
the renderer then repaints the changed thing or the background alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from experiments.tableau.layout import inside, overlaps
from experiments.tableau.scene import Background, Color, Fill, Scene, Shape, Sign, Size, Style, Thing
from store.errors import UserError


@dataclass(frozen=True, slots=True)
class Recolor:
    """Give thing `index` another color; its jitter stays."""

    index: int
    color: Color


@dataclass(frozen=True, slots=True)
class Reshape:
    """Give thing `index` another shape of the same area."""

    index: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Refill:
    """Give thing `index` another fill."""

    index: int
    fill: Fill


@dataclass(frozen=True, slots=True)
class Resize:
    """Make thing `index` small or large about its center."""

    index: int
    size: Size


@dataclass(frozen=True, slots=True)
class Move:
    """Put the center of thing `index` at (x, y), in pixels."""

    index: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Remove:
    """Take thing `index` away; later things move up by one."""

    index: int


@dataclass(frozen=True, slots=True)
class Add:
    """Append a thing."""

    thing: Thing


@dataclass(frozen=True, slots=True)
class SetBackground:
    """Put everything on another background."""

    background: Background


@dataclass(frozen=True, slots=True)
class SetSign:
    """Put up a sign, replace the one there, or with None take it away."""

    sign: Sign | None


@dataclass(frozen=True, slots=True)
class SetStyle:
    """Draw everything in another style."""

    style: Style


Change = Recolor | Reshape | Refill | Resize | Move | Remove | Add | SetBackground | SetSign | SetStyle


def edit(scene: Scene, change: Change) -> Scene:
    """The scene after one change.

    Raises UserError of kind "no-such-thing", "no-change", "outside" or "overlap".
    """
    edited = _changed(scene, change)
    if edited == scene:
        raise UserError(
            f"`{change}` changes nothing: the scene is like that already.",
            kind="no-change",
            hint="Ask for a value that the scene does not have.",
        )
    return edited


def _changed(scene: Scene, change: Change) -> Scene:
    match change:
        case Recolor(index, color):
            return _with(scene, index, replace(_thing(scene, index), color=color))
        case Refill(index, fill):
            return _with(scene, index, replace(_thing(scene, index), fill=fill))
        case Reshape(index, shape):
            return _placed(scene, index, replace(_thing(scene, index), shape=shape))
        case Resize(index, size):
            return _placed(scene, index, replace(_thing(scene, index), size=size))
        case Move(index, x, y):
            return _placed(scene, index, replace(_thing(scene, index), x=x, y=y))
        case Remove(index):
            _thing(scene, index)
            return replace(scene, things=scene.things[:index] + scene.things[index + 1 :])
        case Add(thing):
            _check(thing, scene.things, scene.sign)
            return replace(scene, things=(*scene.things, thing))
        case SetBackground(background):
            return replace(scene, background=background)
        case SetStyle(style):
            return replace(scene, style=style)
        case SetSign(sign):
            if sign is not None:
                _check(sign, scene.things, None)
            return replace(scene, sign=sign)


def _thing(scene: Scene, index: int) -> Thing:
    if 0 <= index < len(scene.things):
        return scene.things[index]
    last = len(scene.things) - 1
    have = "no things" if last < 0 else "only thing 0" if last == 0 else f"only things 0–{last}"
    raise UserError(
        f"`things[{index}]`: the scene has {have}.",
        kind="no-such-thing",
        hint="Add a thing first." if last < 0 else "Use an index that the scene has; counting begins at 0.",
    )


def _with(scene: Scene, index: int, thing: Thing) -> Scene:
    return replace(scene, things=(*scene.things[:index], thing, *scene.things[index + 1 :]))


def _placed(scene: Scene, index: int, thing: Thing) -> Scene:
    """The scene with `thing` in place of thing `index`, if there is room for it."""
    _check(thing, scene.things[:index] + scene.things[index + 1 :], scene.sign)
    return _with(scene, index, thing)


def _check(item: Thing | Sign, things: Sequence[Thing], sign: Sign | None) -> None:
    """Raise UserError unless the item lies inside the picture and draws over none of the others."""
    named = f"{item.size} {item.shape}" if isinstance(item, Thing) else f'sign "{item.word}"'
    where = f"`{named}` at `({item.x:g}, {item.y:g})`"
    if not inside(item):
        raise UserError(
            f"{where} would leave the picture.",
            kind="outside",
            hint="Move it away from the border, or make it small.",
        )
    for thing in things:
        if overlaps(thing, item):
            raise UserError(
                f"{where} would overlap the {thing.color} {thing.shape} at `({thing.x:g}, {thing.y:g})`.",
                kind="overlap",
                hint="Move or remove one of the two first.",
            )
    if isinstance(item, Thing) and sign is not None and overlaps(item, sign):
        raise UserError(
            f'{where} would overlap the sign "{sign.word}" at `({sign.x:g}, {sign.y:g})`.',
            kind="overlap",
            hint="Move or remove one of the two first.",
        )
