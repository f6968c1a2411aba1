"""Pictures from outside: opened with limits, or refused with one sentence.

Knows formats, sizes and what a picture file may hide; knows nothing about models. What comes out is upright RGB
without metadata.
"""

from __future__ import annotations

import struct
import warnings
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from store.errors import UserError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
MAX_BYTES = 32 * 2**20
MAX_PIXELS = 50_000_000

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
        return _plain(picture)
    except UnidentifiedImageError:
        raise _refusal(
            f"`{name}` is not a picture that can be read", f"give one of {', '.join(FORMATS)}"
        ) from None
    except Image.DecompressionBombError:
        raise _too_many_pixels(name, "far too many pixels") from None
    except _DECODER_ERRORS as error:
        raise _refusal(f"`{name}` is broken ({error})", "save or download the picture again") from error


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


def _plain(picture: Image.Image) -> Image.Image:
    """RGB pixels and nothing else: no EXIF, no color profile, no text."""
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    page = Image.new("RGB", upright.size, "white")
    page.paste(upright, mask=upright.getchannel("A"))
    return page


def _too_many_pixels(name: str, size: str) -> UserError:
    return _refusal(
        f"`{name}` has {size}; at most {MAX_PIXELS // 1_000_000} megapixels are read", "scale it down"
    )


def _refusal(message: str, hint: str) -> UserError:
    return UserError(message, kind="image", hint=hint)
