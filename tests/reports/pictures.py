"""Pictures of a small painted world, and heat maps on them: quick to make, and pleasant enough to look at."""

from __future__ import annotations

import hashlib
import io
import random

from PIL import Image, ImageDraw

from store.database import Store

SIZE = 112
COLORS = {"red": "#c8402f", "blue": "#3a62b3", "green": "#4f8a4c", "yellow": "#e0b52e", "purple": "#7a4f93"}
GROUNDS = ("#e9e4da", "#cfd8dc", "#d8d2c4", "#3e4650")


def painted(seed: int, color: str = "", *, square: bool = False) -> tuple[Image.Image, tuple[int, int]]:
    """A picture with a disc (or a square) of the color, if one is given, among other things; and its middle."""
    chance = random.Random(seed)
    image = Image.new("RGB", (SIZE, SIZE), chance.choice(GROUNDS))
    draw = ImageDraw.Draw(image)
    others = [paint for name, paint in COLORS.items() if name != color]
    for _ in range(chance.randint(1, 3)):
        x, y, r = chance.randint(16, SIZE - 16), chance.randint(16, SIZE - 16), chance.randint(8, 15)
        draw.rectangle((x - r, y - r, x + r, y + r), fill=chance.choice(others))
    x, y, r = chance.randint(24, SIZE - 24), chance.randint(24, SIZE - 24), chance.randint(13, 20)
    if color:
        shape = draw.rectangle if square else draw.ellipse
        shape((x - r, y - r, x + r, y + r), fill=COLORS[color])
    return image, (x, y)


def heated(image: Image.Image, place: tuple[int, int]) -> Image.Image:
    """The picture, dark but for the surroundings of a place."""
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).ellipse((place[0] - 24, place[1] - 24, place[0] + 24, place[1] + 24), fill=255)
    dark = image.convert("L").point(lambda level: level * 0.35).convert("RGB")
    return Image.composite(image, dark, mask)


def kept(store: Store, image: Image.Image) -> str:
    """The picture as an artifact, put once: its hash."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    data = buffer.getvalue()
    sha = hashlib.sha256(data).hexdigest()
    known = (store.artifacts.folder / sha[:2] / sha).exists()
    return sha if known else store.artifacts.put(data, "image/png")
