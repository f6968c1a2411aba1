"""Pictures from outside come in upright and bare, or are refused with a sentence that says what to do."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from store.errors import UserError
from tools import images
from tools.images import FORMATS, decode_image, open_image, plain

ORIENTATION = 0x0112


def refusal(path: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        open_image(path)
    assert caught.value.kind == "image"
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_allowed_format_comes_in_as_rgb(tmp_path: Path, format_name: str) -> None:
    path = tmp_path / "picture"
    Image.new("RGB", (5, 3), "red").save(path, format=format_name)
    picture = open_image(path)
    assert (picture.mode, picture.size) == ("RGB", (5, 3))


def test_a_missing_file_is_named() -> None:
    assert refusal(Path("nowhere.png")).message == "`nowhere.png` does not exist"


def test_a_folder_is_not_a_picture(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path).message


@pytest.mark.parametrize("content", [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    assert "not a picture" in refusal(path).message


def test_a_format_outside_the_list_is_refused_even_where_pillow_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "picture.tiff"
    Image.new("RGB", (4, 4)).save(path)
    assert "give one of PNG, JPEG" in refusal(path).hint


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP"])
def test_a_truncated_picture_is_refused(tmp_path: Path, format_name: str) -> None:
    path = tmp_path / "picture"
    Image.effect_noise((64, 64), 90).save(path, format=format_name)
    path.write_bytes(path.read_bytes()[:300])
    assert "`" in refusal(path).message


def test_a_large_file_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 1000)
    path = tmp_path / "picture.png"
    path.write_bytes(bytes(1001))
    assert "larger than" in refusal(path).message


@pytest.mark.parametrize("side", [9_000, 60_000])
def test_a_decompression_bomb_is_refused_by_its_declared_size(tmp_path: Path, side: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(declared_png(side))
    assert refusal(path).message.startswith(f"`{path}` has ")
    assert "50 megapixels" in refusal(path).message


def test_metadata_is_dropped_and_the_picture_turned_upright(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[0x010F] = "a camera"
    Image.new("RGB", (8, 4)).save(path, exif=exif, comment=b"where I live")
    picture = open_image(path)
    assert picture.size == (4, 8)
    assert dict(picture.getexif()) == {}
    assert picture.info == {}


def test_transparent_pixels_show_white_and_not_what_lies_under_them() -> None:
    file = BytesIO()
    Image.new("RGBA", (2, 2), (255, 0, 0, 0)).save(file, format="PNG")
    assert decode_image(file.getvalue(), "clear.png").getpixel((0, 0)) == (255, 255, 255)


def test_sixteen_bits_of_grey_are_brought_to_eight() -> None:
    file = BytesIO()
    Image.fromarray(np.array([[0, 257 * 100, 65535]], dtype=np.uint16)).save(file, format="PNG")
    picture = decode_image(file.getvalue(), "scan.png")
    assert [picture.getpixel((x, 0)) for x in range(3)] == [(0,) * 3, (100,) * 3, (255,) * 3]


def test_inks_are_shown_as_colors() -> None:
    file = BytesIO()
    Image.new("CMYK", (8, 8), (255, 0, 0, 0)).save(file, format="JPEG")
    assert decode_image(file.getvalue(), "print.jpg").getpixel((0, 0)) == (0, 255, 255)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_without_a_scale_are_refused(mode: str) -> None:
    with pytest.raises(UserError, match="numbers without a scale"):
        plain(Image.new(mode, (2, 2)), "depth")


def test_a_mode_without_colors_is_refused() -> None:
    with pytest.raises(UserError, match="can't be shown in colors"):
        plain(Image.new("La", (2, 2)), "half")


def declared_png(side: int) -> bytes:
    """A PNG of a few bytes that claims to hold side × side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )
