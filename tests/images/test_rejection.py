"""Files built to mislead or exhaust: each is refused with the right reason."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.images.decoding import ImageRejected, decode_image
from tests.images.pictures import bare_png, chunk, encode, gradient, insert_chunk, png

SAVED = {
    "png": png(),
    "jpeg": encode(gradient(), "JPEG"),
    "progressive": encode(gradient(), "JPEG", progressive=True),
    "bmp": encode(gradient(), "BMP"),
    "tiff": encode(gradient(), "TIFF"),
    "tiff_lzw": encode(gradient(), "TIFF", compression="tiff_lzw"),
    "webp": encode(gradient(), "WEBP"),
    "webp_lossless": encode(gradient(), "WEBP", lossless=True),
}
each_format = pytest.mark.parametrize("kind", SAVED)


def code_of(data: bytes, settings: Settings) -> str:
    with pytest.raises(ImageRejected) as refused:
        decode_image(data, settings)
    error = refused.value
    assert isinstance(error, AnomalyOSError)
    assert len(error.message) > 10, "a reviewer has to read this"
    assert error.message.endswith(".")
    return error.code


def zip_bytes() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("payload.sh", "echo")
    return buffer.getvalue()


def test_nothing_is_empty(settings: Settings) -> None:
    assert code_of(b"", settings) == "empty"


@pytest.mark.parametrize(
    "data",
    [b"\x00", b"hello", bytes(1000), b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html></html>", b"%!PS"],
)
def test_text_and_noise_are_no_images(settings: Settings, data: bytes) -> None:
    assert code_of(data, settings) == "not_an_image"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (encode(gradient(), "GIF"), "GIF"),
        (b"%PDF-1.7 ...", "PDF"),
        (zip_bytes(), "ZIP"),
        (b"\x00\x00\x00\x18ftypheic", "HEIC"),
        (b"II+\x00\x08\x00\x00\x00", "BigTIFF"),
    ],
)
def test_other_known_formats_are_named(settings: Settings, data: bytes, word: str) -> None:
    with pytest.raises(ImageRejected, match=word) as refused:
        decode_image(data, settings)
    assert refused.value.code == "unsupported"


@each_format
def test_a_file_cut_anywhere_is_truncated(settings: Settings, kind: str) -> None:
    data = SAVED[kind]
    for share in (0.2, 0.5, 0.9, 0.99):
        assert code_of(data[: int(len(data) * share)], settings) == "truncated"
    assert code_of(data[:-1], settings) == "truncated"


@each_format
@pytest.mark.parametrize(
    "trailer",
    [zip_bytes(), b"<?php system($_GET[0]);", b"<script>alert(1)</script>", bytes(64) + b"x", png()],
)
def test_a_trailer_makes_a_polyglot(settings: Settings, kind: str, trailer: bytes) -> None:
    assert code_of(SAVED[kind] + trailer, settings) == "trailing_data"


def test_a_second_jpeg_does_not_open_the_door_to_more(settings: Settings) -> None:
    jpeg = SAVED["jpeg"]

    assert code_of(jpeg + jpeg + zip_bytes(), settings) == "trailing_data"
    assert code_of(jpeg + jpeg[:-20], settings) == "truncated"
    assert code_of(jpeg * 40, settings) == "trailing_data"


def test_more_bytes_than_allowed(settings: Settings) -> None:
    settings.max_image_bytes = 1024

    assert code_of(SAVED["bmp"], settings) == "too_large"


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 100), (100, 7)])
def test_a_picture_without_a_patch_is_too_small(settings: Settings, width: int, height: int) -> None:
    for kind in ("PNG", "JPEG", "BMP", "TIFF", "WEBP"):
        assert code_of(encode(gradient(width, height), kind), settings) == "too_small"


@each_format
def test_pixels_are_counted_for_every_format(settings: Settings, kind: str) -> None:
    settings.max_image_pixels = 1199

    assert code_of(SAVED[kind], settings) == "too_many_pixels"
    settings.max_image_pixels = 1200
    assert decode_image(SAVED[kind], settings).rgb.shape == (30, 40, 3)


def huge_webp() -> bytes:
    """An extended WebP with the largest canvas the header can claim."""
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\xff\xff" * 2
    body = b"WEBP" + canvas + SAVED["webp"][12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def huge_jpeg() -> bytes:
    data = bytearray(SAVED["jpeg"])
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    return bytes(data)


def huge_tiff() -> bytes:
    sides = [(256, 4, 1, 2_000_000), (257, 4, 1, 2_000_000)]
    return tiff([*sides, (259, 3, 1, 5), (273, 4, 1, 8), (279, 4, 1, 64)], bytes(64))


@pytest.mark.parametrize(
    "make",
    [
        lambda: bare_png(2_000_000_000, 2_000_000_000),
        lambda: bare_png(30_000, 30_000, bytes(1000)),
        huge_webp,
        huge_jpeg,
        huge_tiff,
    ],
    ids=["png", "png-with-data", "webp", "jpeg", "tiff"],
)
def test_a_claimed_size_is_refused_before_a_decoder_allocates(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, make: Callable[[], bytes]
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        pytest.fail("the decoder was started")

    monkeypatch.setattr(Image, "open", unreachable)

    assert code_of(make(), settings) == "too_many_pixels"


def test_pixel_data_beyond_the_claimed_size_is_not_inflated(settings: Settings) -> None:
    data = bare_png(16, 16, bytes(50 * 2**20))

    assert (decode_image(data, settings).rgb == 0).all()


def text_chunk(kind: bytes) -> bytes:
    bomb = zlib.compress(bytes(64 * 2**20))
    return {
        b"zTXt": chunk(b"zTXt", b"Comment\x00\x00" + bomb),
        b"iTXt": chunk(b"iTXt", b"Comment\x00\x01\x00\x00\x00" + bomb),
        b"iCCP": chunk(b"iCCP", b"profile\x00\x00" + bomb),
    }[kind]


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_compressed_metadata_is_left_packed(settings: Settings, kind: bytes) -> None:
    data = insert_chunk(png(), text_chunk(kind) * 3)
    decode_image(png(), settings)

    tracemalloc.start()
    image = decode_image(data, settings)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert np.array_equal(image.rgb, gradient())
    assert peak < 5 * 2**20


def test_a_changed_pixel_byte_breaks_a_png_checksum(settings: Settings) -> None:
    data = bytearray(png())
    data[data.index(b"IDAT") + 20] ^= 1

    assert code_of(bytes(data), settings) == "truncated"


def test_a_png_of_endless_parts(settings: Settings) -> None:
    assert code_of(insert_chunk(png(), chunk(b"tEXt", b"") * 70_000), settings) == "unsupported"


def test_a_jpeg_of_endless_scans(settings: Settings) -> None:
    data = SAVED["progressive"]
    last = data.rindex(b"\xff\xda")

    assert code_of(data[:-2] + data[last:-2] * 200 + b"\xff\xd9", settings) == "unsupported"


def tiff(entries: list[tuple[int, int, int, int]], body: bytes = b"", following: int = 0) -> bytes:
    """A little-endian TIFF whose only directory is ``entries`` of (tag, type, count, value)."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return (
        b"II*\x00\x08\x00\x00\x00"
        + struct.pack("<H", len(entries))
        + packed
        + struct.pack("<I", following)
        + body
    )


def test_a_tiff_that_points_at_itself_ends(settings: Settings) -> None:
    data = bytearray(SAVED["tiff"])
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    struct.pack_into("<I", data, directory + 2 + 12 * count, directory)

    assert np.array_equal(decode_image(bytes(data), settings).rgb, gradient())


def test_a_tiff_whose_tags_share_one_large_block(settings: Settings) -> None:
    tags = [(40_000 + index, 7, 2_000_000, 4096) for index in range(300)]

    assert code_of(tiff(tags, bytes(2_010_000)), settings) == "truncated"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({259: (3, 1, 4)}, "unsupported"),
        ({259: (3, 1, 50_000)}, "unsupported"),
        ({279: (4, 1, 10_000_000)}, "truncated"),
        ({273: (4, 2**31, 8)}, "truncated"),
        ({273: (4, 0, 0), 279: (4, 0, 0)}, "truncated"),
        ({322: (4, 1, 2**31), 323: (4, 1, 2**31)}, "truncated"),
    ],
    ids=["fax", "zstd", "strip-past-end", "endless-strips", "no-strips", "giant-tile"],
)
def test_tiff_tags_that_lie(settings: Settings, changes: dict[int, tuple[int, int, int]], code: str) -> None:
    sound = {
        256: (4, 1, 16), 257: (4, 1, 16), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1),
        273: (4, 1, 8), 277: (3, 1, 1), 278: (4, 1, 16), 279: (4, 1, 256),
    }  # fmt: skip
    body = bytes(400)
    assert decode_image(tiff([(t, *v) for t, v in sorted(sound.items())], body), settings).width == 16

    tags = sorted((sound | changes).items())

    assert code_of(tiff([(tag, *values) for tag, values in tags], body), settings) == code


def test_float_and_wide_integer_images_have_no_range(settings: Settings) -> None:
    for dtype in (np.float32, np.int32):
        data = encode(np.ones((16, 16), dtype=dtype), "TIFF")
        assert code_of(data, settings) == "unsupported"


def test_run_length_bmp_is_refused(settings: Settings) -> None:
    data = bytearray(encode(gradient(), "BMP", "P"))
    struct.pack_into("<I", data, 30, 1)

    assert code_of(bytes(data), settings) == "unsupported"


def test_a_wrong_header_order_is_damage(settings: Settings) -> None:
    plain = png()
    header = plain[8:33]

    assert code_of(plain[:8] + chunk(b"tEXt", b"a\x00b") + plain[8:], settings) == "truncated"
    assert code_of(insert_chunk(plain, header), settings) == "truncated"
    assert code_of(b"\xff\xd8\xff\xd9", settings) == "truncated"
    assert code_of(b"\xff\xd8\xff\xe0\x00\x01" + bytes(20), settings) == "truncated"


def test_every_code_of_a_decoder_that_fails_is_a_rejection(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, code in ((ZeroDivisionError(), "truncated"), (MemoryError(), "too_many_pixels")):

        def fail(*_: object, failure: BaseException = error, **__: object) -> None:
            raise failure

        monkeypatch.setattr(Image, "open", fail)
        assert code_of(png(), settings) == code
