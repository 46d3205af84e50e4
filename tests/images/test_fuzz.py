"""Whatever happens to the bytes of an image, decoding gives an image or a reason, never a crash."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from anomalyos.core.settings import Settings
from anomalyos.images.decoding import DecodedImage, ImageRejected, decode_image
from tests.images.pictures import encode, exif, gradient, png

RGBA = np.dstack([gradient(), gradient()[..., 0]])
SEEDS = (
    png(),
    encode(RGBA, "PNG"),
    encode(gradient(), "PNG", "P"),
    encode(gradient()[..., 0].astype(np.uint16) * 257, "PNG"),
    encode(gradient(), "PNG", exif=exif(6)),
    encode(gradient(), "JPEG", exif=exif(8)),
    encode(gradient(), "JPEG", progressive=True),
    encode(gradient(), "JPEG", "CMYK"),
    encode(
        Image.fromarray(gradient()), "MPO", save_all=True, append_images=[Image.fromarray(gradient(seed=9))]
    ),
    encode(gradient(), "BMP"),
    encode(gradient(), "BMP", "P"),
    encode(gradient(), "TIFF"),
    encode(gradient(), "TIFF", compression="tiff_lzw"),
    encode(gradient(), "TIFF", compression="jpeg"),
    encode(gradient()[..., 0].astype(np.uint16) * 257, "TIFF"),
    encode(Image.fromarray(gradient()), "TIFF", save_all=True, append_images=[Image.fromarray(gradient())]),
    encode(gradient(), "WEBP"),
    encode(RGBA, "WEBP", lossless=True, exif=exif(3)),
    encode(
        Image.fromarray(gradient()), "WEBP", save_all=True, append_images=[Image.fromarray(gradient(seed=9))]
    ),
)
# A fixture cannot be used under @given with function scope; nothing is written here.
LIMITS = Settings(home=Path("unused"), max_image_pixels=250_000, _env_file=None)

position = st.integers(min_value=0, max_value=20_000)
near_the_start = st.integers(min_value=0, max_value=160)
change = st.one_of(
    st.tuples(st.just("set"), st.one_of(position, near_the_start), st.binary(min_size=1, max_size=4)),
    st.tuples(st.just("insert"), st.one_of(position, near_the_start), st.binary(min_size=1, max_size=12)),
    st.tuples(st.just("delete"), st.one_of(position, near_the_start), st.binary(min_size=1, max_size=30)),
    st.tuples(st.just("cut"), position, st.just(b"")),
    st.tuples(st.just("append"), position, st.binary(max_size=40)),
)


def apply(data: bytes, kind: str, where: int, value: bytes) -> bytes:
    at = where % (len(data) + 1)
    return {
        "set": data[:at] + value + data[at + len(value) :],
        "insert": data[:at] + value + data[at:],
        "delete": data[:at] + data[at + len(value) :],
        "cut": data[:at],
        "append": data + value,
    }[kind]


def assert_decoded_or_rejected(data: bytes) -> None:
    try:
        image = decode_image(data, LIMITS)
    except ImageRejected:
        return
    assert isinstance(image, DecodedImage)
    assert image.rgb.dtype == np.uint8
    assert image.rgb.shape == (image.height, image.width, 3)
    assert image.width * image.height <= LIMITS.max_image_pixels


@hypothesis_settings(
    max_examples=600, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(st.sampled_from(SEEDS), st.lists(change, min_size=1, max_size=5))
def test_damaged_images_never_crash(data: bytes, changes: list[tuple[str, int, bytes]]) -> None:
    for kind, where, value in changes:
        data = apply(data, kind, where, value)
    assert_decoded_or_rejected(data)


@hypothesis_settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\x00", b"MM\x00*", b"RIFF0000WEBP"]
    ),
    st.binary(max_size=400),
)
@example(b"BM", b"")
@example(b"\xff\xd8\xff", b"")
@example(b"RIFF\xff\xff\xff\xffWEBP", b"VP8X" + bytes(40))
def test_noise_behind_a_magic_number_never_crashes(magic: bytes, noise: bytes) -> None:
    assert_decoded_or_rejected(magic + noise)


@pytest.mark.parametrize("index", range(len(SEEDS)))
def test_the_undamaged_seeds_decode(index: int) -> None:
    assert decode_image(SEEDS[index], LIMITS).rgb.size > 0
