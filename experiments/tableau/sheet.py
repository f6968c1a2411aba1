"""A sheet of enlarged pictures with their captions, for people to look at.

Knows typesetting; what a caption says is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont

from experiments.tableau.render import render, to_image
from experiments.tableau.scene import Scene

PAPER, FRAME, TITLE_INK, CAPTION_INK = (250, 249, 246), (205, 203, 196), (28, 30, 38), (70, 72, 80)
GAP = 4
"""Pixels between two pictures that are shown as one."""
MARGIN, GUTTER, AIR = 48, 30, 12
"""Pixels around the sheet, between its cells, and between a picture and its caption."""
TITLE_SIZE, CAPTION_SIZE = 30, 17
LEADING = 1.35
"""Height of a line over the size of its letters."""


def contact_sheet(
    scenes: Sequence[Scene], captions: Sequence[str], scale: int = 3, columns: int = 4, title: str = ""
) -> Image.Image:
    """Each scene enlarged `scale` times over its caption, in rows of `columns`.

    Raises ValueError when there are not as many captions as scenes, or no scene at all.
    """
    if not scenes or len(scenes) != len(captions):
        raise ValueError(f"{len(scenes)} scenes and {len(captions)} captions: give each scene one caption")
    return picture_sheet([to_image(render(scene)) for scene in scenes], captions, scale, columns, title)


def beside(before: Image.Image, after: Image.Image) -> Image.Image:
    """Two pictures as one."""
    row = Image.new("RGB", (before.width + GAP + after.width, max(before.height, after.height)), "white")
    row.paste(before, (0, 0))
    row.paste(after, (before.width + GAP, 0))
    return row


def picture_sheet(
    pictures: Sequence[Image.Image],
    captions: Sequence[str],
    scale: int = 3,
    columns: int = 4,
    title: str = "",
) -> Image.Image:
    """The same with any pictures, all of one size and with a caption each."""
    (across, side), columns = (scale * edge for edge in pictures[0].size), min(columns, len(pictures))
    face, title_face = outline_font(CAPTION_SIZE), outline_font(TITLE_SIZE)
    texts = [wrapped(caption, face, across) for caption in captions]
    rows = [range(start, min(start + columns, len(pictures))) for start in range(0, len(pictures), columns)]
    heights = [side + AIR + _height(max(len(texts[index]) for index in row)) for row in rows]
    width = 2 * MARGIN + columns * across + (columns - 1) * GUTTER
    heading = wrapped(title, title_face, width - 2 * MARGIN)
    top = MARGIN + (round(len(heading) * TITLE_SIZE * LEADING) + GUTTER if title else 0)
    sheet = Image.new("RGB", (width, top + sum(heights) + (len(rows) - 1) * GUTTER + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    _write(draw, heading, title_face, MARGIN, MARGIN, TITLE_INK)
    for row, height in zip(rows, heights, strict=True):
        for column, index in enumerate(row):
            left = MARGIN + column * (across + GUTTER)
            draw.rectangle((left - 1, top - 1, left + across, top + side), outline=FRAME)
            picture = pictures[index].resize((across, side), Image.Resampling.NEAREST)
            sheet.paste(picture, (left, top))
            _write(draw, texts[index], face, left, top + side + AIR, CAPTION_INK)
        top += height + GUTTER
    return sheet


def wrapped(text: str, face: FreeTypeFont, width: float) -> list[str]:
    """The lines of `text`, broken at spaces to be at most `width` pixels wide where its words allow."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and face.getlength(longer) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines


def outline_font(size: int) -> FreeTypeFont:
    """Pillow's own outline font."""
    face = ImageFont.load_default(size)
    if not isinstance(face, FreeTypeFont):
        raise RuntimeError("this Pillow was built without FreeType: install the wheel from PyPI")
    return face


def _height(lines: int) -> int:
    return round(lines * CAPTION_SIZE * LEADING)


def _write(
    draw: ImageDraw.ImageDraw,
    lines: list[str],
    face: FreeTypeFont,
    left: int,
    top: int,
    ink: tuple[int, int, int],
) -> None:
    for number, line in enumerate(lines):
        draw.text((left, top + round(number * face.size * LEADING)), line, font=face, fill=ink)
