"""A small knowledge base with pictures, made through the repositories people's edits go through."""

from __future__ import annotations

import hashlib
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from anomalyos.cases import repository as case_repository
from anomalyos.cases.tables import DefectCase
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.knowledge import edits
from tests.support.products import draw

STAIN = "defect:stripes/stain"
CRACK = "defect:stripes/crack"
DIRT = "cause:airborne-dirt"
DROP = "cause:dropped-part"
BRUSH = "remedy:brush-it-off"
MAGNIFIER = "check:magnifier"
COMMENT = "taken at 52.5 N 13.4 E"

_NODES = (
    ("category:stripes", "Stripes", "A striped plate.", {}),
    ("category:dots", "Dots", "A dotted plate.", {}),
    (STAIN, "Stain", "A red stain on the stripes.", {"severity": "cosmetic"}),
    (CRACK, "Crack", "A crack across the plate.", {"severity": "critical"}),
    ("sign:red-patch", "Red patch", "A patch that is red.", {}),
    (DIRT, "Airborne dirt", "Dust settles on the open plate.", {}),
    (DROP, "Dropped part", "The plate fell on the floor.", {}),
    ("step:storage", "Storage", "Where plates wait.", {}),
    (BRUSH, "Brush it off", "Brush the dust away before coating.", {}),
    (MAGNIFIER, "Look with a magnifier", "Look for dust at ten times.", {}),
)
_EDGES = (
    ("category:stripes", "has_defect", STAIN, 1.0),
    ("category:stripes", "has_defect", CRACK, 1.0),
    (STAIN, "shows", "sign:red-patch", 1.0),
    (STAIN, "caused_by", DIRT, 3.0),
    (STAIN, "caused_by", DROP, 1.0),
    (CRACK, "caused_by", DROP, 2.0),
    (DIRT, "arises_in", "step:storage", 1.0),
    (DIRT, "remedied_by", BRUSH, 1.0),
    (DIRT, "verified_by", MAGNIFIER, 1.0),
    (DROP, "verified_by", MAGNIFIER, 1.0),
)


def commented_png(array: NDArray[np.uint8]) -> bytes:
    """A PNG that carries a comment, which no picture the console serves may."""
    note = PngInfo()
    note.add_text("comment", COMMENT)
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG", pnginfo=note)
    return buffer.getvalue()


def fill_graph(store: Store) -> None:
    with store.session() as session:
        for key, name, text, attributes in _NODES:
            edits.add_node(session, key, name=name, text=text, attributes=attributes, actor="test")
        for source, relation, target, weight in _EDGES:
            edits.add_edge(session, source, relation, target, weight=weight, actor="test")


def add_case(
    store: Store,
    number: int,
    *,
    product: str = "stripes",
    defect_type: str = "stain",
    note: str = "",
    inspection_id: int | None = None,
    synthetic: bool = True,
) -> int:
    """Id of a known defect whose photograph and crop are really there."""
    image, mask = draw(product, 9000 + number, flawed=True)
    rows, cols = mask.nonzero()
    top, left = int(rows.min()), int(cols.min())
    data = commented_png(image)
    case = DefectCase(
        content_key="",
        category=product,
        defect_type=defect_type,
        severity="cosmetic",
        origin="import" if inspection_id is None else "review",
        synthetic=synthetic,
        source=f"test/{defect_type}/{number:03}.png",
        inspection_id=inspection_id,
        image_sha256=hashlib.sha256(data).hexdigest(),
        image_path=store.objects.put(data, ".png"),
        crop_path=store.objects.put(commented_png(image[top : top + 14, left : left + 14]), ".png"),
        box={"x": left, "y": top, "width": 14, "height": 14},
        note=note,
        added_by="",
    )
    with store.session() as session:
        return stored_id(case_repository.add(session, case, "test")[0].id)
