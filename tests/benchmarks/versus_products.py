"""The products of ``versus_anomalib``: which pictures are learned from, and which are scored."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from anomalyos.images.files import list_images
from tests.benchmarks.home import SHARED

SIZE = 224
PATCH_STRIDE = {"patchcore": 8, "anomaly_dino": 14}
SAMPLES = ("sample_carpet", "sample_hex_nut", "sample_pill")


@dataclass(frozen=True)
class Product:
    """Files in the order both sides get them."""

    name: str
    train: tuple[Path, ...]
    groups: tuple[str, ...] | None
    """The part each training picture shows, where some show the same."""
    good: tuple[Path, ...]
    defective: tuple[Path, ...]
    size: int = SIZE

    @property
    def test(self) -> tuple[Path, ...]:
        return self.good + self.defective

    def patches(self, model: str) -> int:
        """Patches of all training pictures on anomalib's grid."""
        return len(self.train) * (self.size // PATCH_STRIDE[model]) ** 2


def products(samples: Path) -> list[Product]:
    """Every product at hand; the drawn ones are in ``samples`` already."""
    found = [from_folder(SHARED / "mvtec_ad_reduced" / name) for name in ("hazelnut", "transistor")]
    found.append(from_folder(SHARED / "pcb", size=448))
    found.append(by_tile(SHARED / "magnetic_tile"))
    found += [from_folder(folder) for folder in sorted((SHARED / "piped").glob("paper_*"))]
    found += [from_folder(samples / name) for name in SAMPLES]
    return [product for product in found if product.train and product.defective]


def from_folder(folder: Path, size: int = SIZE) -> Product:
    """A product in the layout of MVTec AD, with the parts of ``groups.csv`` where there is one."""
    train = list_images(folder / "train" / "good")
    parts = read_column(folder / "groups.csv", "group")
    groups = tuple(parts.get(path.name, path.name) for path in train) if parts else None
    tests = sorted(path for path in (folder / "test").glob("*") if path.name != "good")
    defective = tuple(image for test in tests for image in list_images(test))
    return Product(
        folder.name, tuple(train), groups, tuple(list_images(folder / "test" / "good")), defective, size
    )


def by_tile(folder: Path) -> Product:
    """magnetic_tile split so that no tile is on both sides."""
    product = from_folder(folder)
    table = folder / "good_groups.csv"
    split, tiles = read_column(table, "grouped_split"), read_column(table, "tile_group")
    train, good = split_of(product.train + product.good, split)
    groups = tuple(tiles.get(path.name, path.name) for path in train)
    return Product(product.name, train, groups, good, product.defective)


def split_of(images: Iterable[Path], split: dict[str, str]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Pictures to learn from and pictures to test; one the table does not name is refused.

    Raises:
        KeyError: naming the picture.
    """
    ordered = sorted(images, key=lambda path: path.name)
    train = tuple(path for path in ordered if split[path.name] == "train")
    return train, tuple(path for path in ordered if split[path.name] != "train")


def read_column(table: Path, column: str) -> dict[str, str]:
    """One column of a CSV file by its column ``file``; empty without the file."""
    if not table.is_file():
        return {}
    with table.open(newline="", encoding="utf-8") as lines:
        return {row["file"]: row[column] for row in csv.DictReader(lines)}
