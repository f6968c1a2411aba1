"""Pictures from outside: opened with limits, or refused with one sentence.

Knows formats, sizes and what a picture file may hide; knows nothing about models. What comes out is upright RGB
without metadata.
"""

from __future__ import annotations

import struct
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from store.errors import UserError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
MAX_BYTES = 32 * 2**20
MAX_PIXELS = 50_000_000

NUMBERS = ("I", "F")
"""Modes of pictures whose values have no largest one: nobody can say what is white in them."""

_DECODER_ERRORS = (OSError, SyntaxError, ValueError, EOFError, OverflowError, struct.error)


def open_image(path: str | Path) -> Image.Image:
    """The picture in `path` (an animation's first frame) as RGB, turned upright, transparency laid on white.

    Raises UserError when the file is missing, too large, in another format than FORMATS, or broken.
    """
    return decode_image(_read(Path(path)), str(path))


def decode_image(data: bytes, name: str) -> Image.Image:
    """The picture in `data`; `name` is what an error calls it. Refuses by the declared size before decoding."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(BytesIO(data), formats=FORMATS)
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise _too_many_pixels(name, f"{width}×{height} pixels")
        picture.load()
        return plain(picture, name)
    except UnidentifiedImageError:
        raise _refusal(
            f"`{name}` is not a picture that can be read", f"give one of {', '.join(FORMATS)}"
        ) from None
    except Image.DecompressionBombError:
        raise _too_many_pixels(name, "far too many pixels") from None
    except _DECODER_ERRORS as error:
        raise _refusal(f"`{name}` is broken ({error})", "save or download the picture again") from error


def plain(picture: Image.Image, name: str) -> Image.Image:
    """The picture as upright RGB and nothing else (no EXIF, no color profile, no text), transparency laid on white,
    16 bits brought to 8; `name` is what an error calls it.

    Raises UserError for a picture of bare numbers (NUMBERS), and for one in a mode that has no colors.
    """
    if picture.mode in NUMBERS:
        raise _refusal(
            f"`{name}` holds numbers without a scale (mode `{picture.mode}`)",
            "save it with 8 or 16 bits a channel",
        )
    try:
        upright = _eight_bits(ImageOps.exif_transpose(picture)).convert("RGBA")
    except ValueError as error:
        raise _refusal(f"`{name}` can't be shown in colors ({error})", "save it as an RGB picture") from None
    page = Image.new("RGB", upright.size, "white")
    page.paste(upright, mask=upright.getchannel("A"))
    return page


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise _refusal(f"`{path}` is a folder", "give one picture file")
    if not path.is_file():
        raise _refusal(f"`{path}` does not exist", "check the path")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _refusal(f"`{path}` can't be read ({error.strerror})", "check its permissions") from error
    if len(data) > MAX_BYTES:
        raise _refusal(f"`{path}` is larger than {MAX_BYTES // 2**20} MiB", "scale it down or compress it")
    return data


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Pillow would show a 16-bit grey as white wherever it is above 255."""
    if not picture.mode.startswith("I;16"):
        return picture
    return Image.fromarray((np.asarray(picture, dtype=np.float32) / 257).round().astype(np.uint8))


def _too_many_pixels(name: str, size: str) -> UserError:
    return _refusal(
        f"`{name}` has {size}; at most {MAX_PIXELS // 1_000_000} megapixels are read", "scale it down"
    )


def _refusal(message: str, hint: str) -> UserError:
    return UserError(message, kind="image", hint=hint)
