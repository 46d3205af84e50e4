"""The only place an image is opened: bytes from a camera or a person become an RGB array.

Decided here, once:

- Accepted are PNG, JPEG, BMP, TIFF and WebP, told by their first bytes. Of an animation or a
  multi-page file the first frame is used.
- EXIF orientation is applied. Colour profiles are ignored: a model compares pixel values.
- Transparency is laid over white, as a page shows it (over black for masks: transparent is
  "not marked").
- 16-bit grey is divided by 257, so the full range maps onto the full range; never stretched
  to its own minimum and maximum, which would hide that a lamp is failing. 16-bit colour keeps its
  high byte. Float and 32-bit integer images have no agreed range and are refused.
- After the end of an image only zero padding is accepted, and after a JPEG further complete
  JPEGs (multi-picture cameras). Everything else is refused as ``trailing_data``.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from anomalyos.core.errors import NotFound
from anomalyos.core.runtime import RuntimeSettings
from anomalyos.images.containers.container import Container
from anomalyos.images.containers.scanning import ACCEPTED, scan_container
from anomalyos.images.rejection import ImageRejected, damaged

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

__all__ = [
    "MIN_SIDE",
    "DecodedImage",
    "ImageRejected",
    "decode_image",
    "decode_mask",
    "encode_png",
    "read_image",
    "thumbnail_jpeg",
]

MIN_SIDE = 8
"""Pixels. Below this there is not a single patch to compare."""
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
SUFFIXES = {"png": ".png", "jpeg": ".jpg", "bmp": ".bmp", "tiff": ".tif", "webp": ".webp"}


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """``rgb`` is (H, W, 3) uint8, contiguous, writable and upright; ``width`` and ``height`` are its size.

    ``sha256`` and ``size_bytes`` are of the bytes as received, ``format`` is lower case ("png", "jpeg").
    ``mode`` is the colour model the file itself has, in Pillow's words ("L", "RGB", "I;16", "CMYK").
    """

    rgb: npt.NDArray[np.uint8]
    sha256: str
    format: str
    width: int
    height: int
    size_bytes: int
    mode: str

    @property
    def suffix(self) -> str:
        """Customary file suffix of the real format, with its dot."""
        return SUFFIXES[self.format]


def decode_image(data: bytes, settings: RuntimeSettings) -> DecodedImage:
    """Decode one image that nobody vouches for.

    Raises:
        ImageRejected: always this, whatever is wrong with the bytes.
    """
    rgb, mode, container = _decode(data, settings, WHITE)
    height, width = rgb.shape[:2]
    sha256 = hashlib.sha256(data).hexdigest()
    return DecodedImage(rgb, sha256, container.format, width, height, len(data), mode)


def read_image(path: Path, settings: RuntimeSettings) -> DecodedImage:
    """Decode a file, of which never more than the byte limit is read.

    Raises:
        ImageRejected: as :func:`decode_image`; also when the file is unreadable.
        NotFound: there is no such file.
    """
    return decode_image(read_limited(path, settings), settings)


def decode_mask(path: Path, settings: RuntimeSettings) -> npt.NDArray[np.bool_]:
    """(H, W) bool of a ground-truth mask: True where a pixel is brighter than half the brightest one.

    That reads 0/255 and 0/1 masks alike and ignores the noise of a JPEG; an all-black mask
    marks nothing.

    Raises:
        ImageRejected, NotFound: as :func:`read_image`.
    """
    rgb, _, _ = _decode(read_limited(path, settings), settings, BLACK)
    gray = rgb.max(axis=2)
    mask: npt.NDArray[np.bool_] = gray > gray.max() // 2
    return mask


def read_limited(path: Path, settings: RuntimeSettings) -> bytes:
    """Bytes of a regular file, refused as soon as they exceed ``settings.max_image_bytes``.

    Raises:
        ImageRejected: too large, not a regular file, or not readable.
        NotFound: there is no such file.
    """
    if not path.exists():
        raise NotFound(f"There is no file {path}.", "Check the path.")
    if not path.is_file():
        raise ImageRejected("not_an_image", "This is not a regular file.", ACCEPTED)
    try:
        with path.open("rb") as file:
            data = file.read(settings.max_image_bytes + 1)
    except OSError as error:
        raise ImageRejected("not_an_image", f"The file cannot be read: {error.strerror}.") from error
    _check_bytes(len(data), settings)
    return data


def encode_png(array: npt.NDArray[np.uint8], *, effort: int = 6) -> bytes:
    """PNG of a (H, W), (H, W, 3) or (H, W, 4) uint8 array, without loss.

    Args:
        effort: 1, quick, to 9, small.

    Raises:
        ValueError: another shape or dtype.
    """
    from PIL import Image

    if array.dtype != np.uint8 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise ValueError(f"cannot write {array.dtype} of shape {array.shape} as PNG")
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG", compress_level=effort)
    return buffer.getvalue()


def thumbnail_jpeg(rgb: npt.NDArray[np.uint8], max_side: int) -> bytes:
    """JPEG of a (H, W, 3) uint8 array, shrunk to fit ``max_side`` pixels and never enlarged."""
    from PIL import Image

    image = Image.fromarray(rgb)
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _decode(
    data: bytes, settings: RuntimeSettings, background: tuple[int, int, int]
) -> tuple[npt.NDArray[np.uint8], str, Container]:
    if not data:
        raise ImageRejected("empty", "The file is empty.", "Check that the camera finished writing it.")
    _check_bytes(len(data), settings)
    container = scan_container(data)
    check_size(container.width, container.height, settings)
    try:
        rgb, mode = _decode_pixels(container, settings, background)
    except ImageRejected:
        raise
    except MemoryError as error:
        raise ImageRejected("too_many_pixels", "There is not enough memory for this image.") from error
    # Decoders fail on crafted files in every way there is (struct.error, IndexError, SyntaxError, ...);
    # one bad image must never stop a batch, so all of them become a reason.
    except Exception as error:
        raise damaged(f"its {container.format.upper()} data cannot be decoded") from error
    return rgb, mode, container


def _check_bytes(count: int, settings: RuntimeSettings) -> None:
    limit = settings.max_image_bytes
    if count > limit:
        raise ImageRejected(
            "too_large",
            f"The file is larger than the limit of {limit / 2**20:.1f} MiB.",
            "Raise ANOMALYOS_MAX_IMAGE_BYTES if such images are expected.",
        )


def check_size(width: int, height: int, settings: RuntimeSettings) -> None:
    """Raises ``ImageRejected`` for more pixels than the limit, or a side below ``MIN_SIDE``."""
    if width * height > settings.max_image_pixels:
        raise ImageRejected(
            "too_many_pixels",
            f"The image claims {width:,} x {height:,} pixels; the limit is "
            f"{settings.max_image_pixels / 1e6:.1f} million.",
            "Raise ANOMALYOS_MAX_IMAGE_PIXELS if such images are expected.",
        )
    if min(width, height) < MIN_SIDE:
        raise ImageRejected(
            "too_small", f"The image has {width} x {height} pixels; each side needs at least {MIN_SIDE}."
        )


def _decode_pixels(
    container: Container, settings: RuntimeSettings, background: tuple[int, int, int]
) -> tuple[npt.NDArray[np.uint8], str]:
    """(H, W, 3) uint8 of the payload, upright, and its colour model. May raise anything a decoder raises."""
    from PIL import Image

    with Image.open(io.BytesIO(container.payload), formats=[container.format.upper()]) as image:
        check_size(image.width, image.height, settings)
        image.load()
        return np.array(_to_rgb(_upright(image), image, background), dtype=np.uint8), image.mode


def _upright(image: PillowImage) -> PillowImage:
    """The image turned as its EXIF orientation asks; an unreadable EXIF block turns nothing."""
    from PIL import ExifTags, Image

    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    try:
        orientation: Any = image.getexif().get(ExifTags.Base.Orientation)
    # Metadata is broken far more often than pixels, and in as many ways: the picture is still good.
    except Exception:  # noqa: BLE001
        return image
    turn = turns.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _to_rgb(image: PillowImage, opened: PillowImage, background: tuple[int, int, int]) -> PillowImage:
    """RGB of any mode the accepted formats decode to; ``opened`` still has the file's tags."""
    from PIL import Image

    if image.mode.startswith("I;16"):
        return Image.fromarray(_gray_from_16_bit(image, opened)).convert("RGB")
    if image.mode in ("I", "F"):
        kind = "32-bit integer" if image.mode == "I" else "floating-point"
        raise ImageRejected(
            "unsupported",
            f"{kind.capitalize()} images have no agreed brightness range.",
            "Export the image with 8 or 16 bits per channel.",
        )
    if image.has_transparency_data:
        overlay = image.convert("RGBA")
        base = Image.new("RGBA", overlay.size, (*background, 255))
        return Image.alpha_composite(base, overlay).convert("RGB")
    if image.mode not in ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr"):
        reason = f"The colour model {image.mode} is not accepted."
        raise ImageRejected("unsupported", reason, "Save it as RGB.")
    return image.convert("RGB")


def _gray_from_16_bit(image: PillowImage, opened: PillowImage) -> npt.NDArray[np.uint8]:
    """(H, W) uint8 from 16-bit grey, or from the 12-bit grey some cameras write as TIFF."""
    values = np.asarray(image).astype(np.float32)
    tags = getattr(opened, "tag_v2", {})
    full = 2 ** int(tags.get(258, (16,))[0]) - 1
    gray: npt.NDArray[np.uint8] = np.clip(np.rint(values * (255 / full)), 0, 255).astype(np.uint8)
    minimum_is_white = tags.get(262) == 0
    return 255 - gray if minimum_is_white else gray
