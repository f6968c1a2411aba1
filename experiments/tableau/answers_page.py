"""A page of pictures with questions and answers under them, each answer marked right or wrong.

Right is a green disc, wrong an orange cross with the right answer beside it: told apart without color as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw
from PIL.ImageFont import FreeTypeFont

from experiments.tableau.render import render, to_image
from experiments.tableau.scene import SIDE, Scene
from experiments.tableau.sheet import (
    CAPTION_INK,
    FRAME,
    GUTTER,
    MARGIN,
    PAPER,
    TITLE_INK,
    TITLE_SIZE,
    outline_font,
    wrapped,
)

RIGHT_INK, WRONG_INK = (0, 128, 94), (190, 75, 0)
TEXT_SIZE, LINE, INDENT = 15, 21, 22
"""Letter height, line height, and the space that a mark takes; pixels."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question, what was answered, and what would have been right."""

    question: str
    answer: str
    truth: str

    @property
    def right(self) -> bool:
        return self.answer == self.truth


def answers_page(
    scenes: Sequence[Scene],
    exchanges: Sequence[Sequence[Exchange]],
    title: str,
    scale: int = 3,
    columns: int = 4,
) -> Image.Image:
    """Each scene enlarged `scale` times over its exchanges, in rows of `columns`."""
    side, face = SIDE * scale, outline_font(TEXT_SIZE)
    cells = [_cell(scene, told, side, face) for scene, told in zip(scenes, exchanges, strict=True)]
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    heights = [max(cell.height for cell in row) for row in rows]
    top = MARGIN + 2 * TITLE_SIZE
    width = 2 * MARGIN + columns * side + (columns - 1) * GUTTER
    page = Image.new("RGB", (width, top + sum(heights) + GUTTER * (len(rows) - 1) + MARGIN), PAPER)
    ImageDraw.Draw(page).text((MARGIN, MARGIN), title, TITLE_INK, outline_font(TITLE_SIZE))
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            page.paste(cell, (MARGIN + column * (side + GUTTER), top))
        top += height + GUTTER
    return page


def _cell(scene: Scene, told: Sequence[Exchange], side: int, face: FreeTypeFont) -> Image.Image:
    questions = [wrapped(exchange.question, face, side) for exchange in told]
    lines = sum(map(len, questions)) + len(told)
    cell = Image.new("RGB", (side, side + LINE * lines + LINE // 2 * (len(told) + 1)), PAPER)
    cell.paste(to_image(render(scene)).resize((side, side), Image.Resampling.NEAREST))
    draw = ImageDraw.Draw(cell)
    draw.rectangle((0, 0, side - 1, side - 1), outline=FRAME)
    y = side + LINE // 2
    for exchange, question in zip(told, questions, strict=True):
        for line in question:
            draw.text((0, y), line, CAPTION_INK, face)
            y += LINE
        _verdict(draw, exchange, y, face)
        y += LINE + LINE // 2
    return cell


def _verdict(draw: ImageDraw.ImageDraw, exchange: Exchange, y: int, face: FreeTypeFont) -> None:
    ink = RIGHT_INK if exchange.right else WRONG_INK
    box = (3, y + 4, 13, y + 14)
    if exchange.right:
        draw.ellipse(box, fill=ink)
    else:
        draw.line(box, fill=ink, width=3)
        draw.line((box[0], box[3], box[2], box[1]), fill=ink, width=3)
    said = exchange.answer or "(nothing)"
    draw.text((INDENT, y), said if exchange.right else f"{said}   (it is: {exchange.truth})", ink, face)
