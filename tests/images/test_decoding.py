"""What decoding makes of every kind of image that is accepted."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.images.decoding import (
    ImageRejected,
    decode_image,
    decode_mask,
    encode_png,
    read_image,
    thumbnail_jpeg,
)
from tests.images.pictures import (
    SHARED,
    chunk,
    encode,
    exif,
    gradient,
    insert_chunk,
    needs_shared_data,
    png,
    write,
)


@pytest.mark.parametrize(
    ("kind", "name", "suffix", "options"),
    [
        ("PNG", "png", ".png", {}),
        ("BMP", "bmp", ".bmp", {}),
        ("TIFF", "tiff", ".tif", {}),
        ("TIFF", "tiff", ".tif", {"compression": "tiff_lzw"}),
        ("TIFF", "tiff", ".tif", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", "tiff", ".tif", {"compression": "packbits"}),
        ("WEBP", "webp", ".webp", {"lossless": True}),
    ],
)
def test_lossless_formats_give_the_pixels_that_were_saved(
    settings: Settings, kind: str, name: str, suffix: str, options: dict[str, Any]
) -> None:
    data = encode(gradient(), kind, **options)

    image = decode_image(data, settings)

    assert np.array_equal(image.rgb, gradient())
    assert (image.format, image.suffix) == (name, suffix)
    assert (image.width, image.height) == (40, 30)
    assert image.size_bytes == len(data)
    assert image.sha256 == hashlib.sha256(data).hexdigest()
    assert image.rgb.flags.writeable
    assert image.rgb.flags.c_contiguous


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("WEBP", {"quality": 95}),
        ("TIFF", {"compression": "jpeg", "quality": 95}),
    ],
)
def test_lossy_formats_come_close(settings: Settings, kind: str, options: dict[str, Any]) -> None:
    rgb = decode_image(encode(gradient(), kind, **options), settings).rgb

    assert np.abs(rgb.astype(int) - gradient()).mean() < 6


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_gray_maps_the_full_range_and_is_not_stretched(settings: Settings, kind: str) -> None:
    values = np.full((16, 16), 257 * 10, dtype=np.uint16)
    values[0, :4] = (0, 257, 65535, 257 * 20 + 200)

    rgb = decode_image(encode(values, kind), settings).rgb

    assert rgb[0, :4, 0].tolist() == [0, 1, 255, 21]
    assert (rgb[1:] == 10).all()


def test_16_bit_gray_that_counts_from_white_is_inverted(settings: Settings) -> None:
    values = np.full((16, 16), 65535, dtype=np.uint16)
    normal = encode(values, "TIFF")
    photometric = normal.index(b"\x06\x01\x03\x00\x01\x00\x00\x00\x01\x00")
    inverted = bytearray(normal)
    inverted[photometric + 8] = 0

    assert (decode_image(normal, settings).rgb == 255).all()
    assert (decode_image(bytes(inverted), settings).rgb == 0).all()


def test_one_bit_palette_and_gray_become_rgb(settings: Settings) -> None:
    gray = gradient()[..., 0]

    one_bit = decode_image(encode(np.where(gray > 99, 255, 0).astype(np.uint8), "PNG", "1"), settings).rgb
    palette = decode_image(encode(gradient(), "PNG", "P"), settings).rgb
    plain = decode_image(encode(gray, "BMP"), settings).rgb

    assert set(np.unique(one_bit)) == {0, 255}
    assert np.array_equal(one_bit[..., 1] == 255, gray > 99)
    assert palette.shape == (30, 40, 3)
    assert np.array_equal(plain, np.repeat(gray[..., None], 3, axis=2))


def test_transparency_is_laid_over_white(settings: Settings) -> None:
    rgba = np.zeros((16, 16, 4), dtype=np.uint8)
    rgba[:, 8:, 3] = 255
    gray_alpha = Image.fromarray(rgba).convert("LA")

    for data in (encode(rgba, "PNG"), encode(gray_alpha, "PNG"), encode(rgba, "WEBP", lossless=True)):
        rgb = decode_image(data, settings).rgb
        assert (rgb[:, :8] == 255).all()
        assert (rgb[:, 8:] == 0).all()


def test_a_transparent_palette_entry_is_white(settings: Settings) -> None:
    image = Image.new("P", (16, 16), 1)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.paste(0, (0, 0, 8, 16))

    rgb = decode_image(encode(image, "PNG", transparency=0), settings).rgb

    assert (rgb[:, :8] == 255).all()
    assert (rgb[:, 8:] == (40, 50, 60)).all()


def test_cmyk_jpeg_has_the_right_colours(settings: Settings) -> None:
    red = np.zeros((16, 16, 3), dtype=np.uint8)
    red[..., 0] = 200

    rgb = decode_image(encode(red, "JPEG", "CMYK", quality=95), settings).rgb

    assert np.abs(rgb.astype(int) - red).max() < 8


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(settings: Settings, kind: str, orientation: int) -> None:
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    upright = gradient(48, 32)
    stored = np.ascontiguousarray(undo[orientation](upright))

    image = decode_image(encode(stored, kind, exif=exif(orientation)), settings)

    assert (image.width, image.height) == (48, 32)
    assert np.abs(image.rgb.astype(int) - upright).mean() < 8


def test_broken_exif_turns_nothing(settings: Settings) -> None:
    data = insert_chunk(png(), chunk(b"eXIf", b"MM\x00\x2a\xff\xff\xff\xff"))

    assert np.array_equal(decode_image(data, settings).rgb, gradient())


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_the_first_frame_of_several_is_used(settings: Settings, kind: str) -> None:
    frames = [Image.fromarray(gradient(seed=seed)) for seed in (0, 200)]
    lossless = {"lossless": True} if kind == "WEBP" else {}

    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], **lossless)

    assert np.array_equal(decode_image(data, settings).rgb, gradient())


def test_cameras_may_pad_with_zeros_and_append_a_second_jpeg(settings: Settings) -> None:
    first, second = encode(gradient(), "JPEG"), encode(gradient(seed=99), "JPEG")
    alone = decode_image(first, settings).rgb
    both = encode(
        Image.fromarray(gradient()), "MPO", save_all=True, append_images=[Image.fromarray(gradient(seed=9))]
    )

    for data in (first + bytes(500), first + second, first + bytes(7) + second + bytes(9)):
        assert np.array_equal(decode_image(data, settings).rgb, alone)
    assert decode_image(both, settings).format == "jpeg"
    assert np.array_equal(decode_image(png() + bytes(512), settings).rgb, gradient())


def test_the_name_of_a_file_does_not_matter(settings: Settings, tmp_path: Path) -> None:
    path = write(tmp_path / "part.jpg", png())

    assert read_image(path, settings).format == "png"


def test_a_file_is_never_read_beyond_the_limit(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        # sparse: it takes no room on disk, and reading all of it would take all memory
        file.truncate(2**42)

    with pytest.raises(ImageRejected) as refused:
        read_image(path, settings)

    assert refused.value.code == "too_large"


def test_missing_and_irregular_files_are_told_apart(settings: Settings, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")

    with pytest.raises(NotFound):
        read_image(tmp_path / "none.png", settings)
    for path in (tmp_path, tmp_path / "pipe.png"):
        with pytest.raises(ImageRejected, match="not a regular file"):
            read_image(path, settings)


@pytest.mark.parametrize("value", [1, 128, 255])
def test_masks_of_zero_and_anything_are_read(settings: Settings, tmp_path: Path, value: int) -> None:
    marked = np.zeros((20, 24), dtype=bool)
    marked[3:9, 5:11] = True
    path = write(tmp_path / "mask.png", encode((marked * value).astype(np.uint8), "PNG"))

    mask = decode_mask(path, settings)

    assert mask.dtype == np.bool_
    assert np.array_equal(mask, marked)


def test_a_mask_drawn_on_nothing_marks_only_what_was_drawn(settings: Settings, tmp_path: Path) -> None:
    rgba = np.zeros((20, 24, 4), dtype=np.uint8)
    rgba[3:9, 5:11] = 255

    mask = decode_mask(write(tmp_path / "mask.png", encode(rgba, "PNG")), settings)

    assert np.array_equal(mask, rgba[..., 3] == 255)


def test_a_black_mask_marks_nothing(settings: Settings, tmp_path: Path) -> None:
    path = write(tmp_path / "mask.png", encode(np.zeros((20, 24), dtype=np.uint8), "PNG"))

    assert not decode_mask(path, settings).any()


@pytest.mark.parametrize("shape", [(9, 10), (9, 10, 3), (9, 10, 4)])
def test_encode_png_keeps_every_pixel(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)

    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(array)))), array)


@pytest.mark.parametrize("array", [np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4)), np.zeros(4, np.uint8)])
def test_encode_png_refuses_what_is_no_picture(array: Any) -> None:
    with pytest.raises(ValueError, match="cannot write"):
        encode_png(array)


def test_thumbnails_shrink_and_never_grow() -> None:
    large = Image.open(io.BytesIO(thumbnail_jpeg(gradient(400, 100), 64)))
    small = Image.open(io.BytesIO(thumbnail_jpeg(gradient(40, 30), 64)))

    assert (large.format, large.size) == ("JPEG", (64, 16))
    assert small.size == (40, 30)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("mvtec_ad_reduced/hazelnut/train/good", marks=needs_shared_data),
        pytest.param("magnetic_tile/test/blowhole", marks=needs_shared_data),
        pytest.param("pcb/test/defective", marks=needs_shared_data),
    ],
)
def test_real_images_decode(settings: Settings, path: str) -> None:
    files = sorted((SHARED / path).iterdir())[:20]

    for file in files:
        image = read_image(file, settings)
        assert image.rgb.shape == (image.height, image.width, 3)
        assert image.rgb.std() > 1
    assert files
