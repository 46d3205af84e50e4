"""The flagged places beside the normal parts they were held against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from anomalyos.explain.evidence import TraceNeighbour, TracePair
from anomalyos.reports.words import number
from console.ui import kit
from console.ui.kit import Text, box


def draw_nearest(inspection_id: int, trace: Sequence[TracePair]) -> None:
    """The strongest place and the very normal patch its score is the distance to."""
    with box("aos-nearest"):
        _draw_own(inspection_id, 0, trace[0], "This part")
        _draw_gap(trace[0].neighbours[0].distance if trace[0].neighbours else trace[0].score)
        if trace[0].neighbours:
            _draw_normal(inspection_id, 0, 0, trace[0].neighbours[0], "Nearest normal")
        else:
            Text("No normal patch is on record.", "p", "aos-muted aos-small")


def draw_trace(inspection_id: int, trace: Sequence[TracePair]) -> None:
    """Every place with all its neighbours, the strongest place first."""
    with box("aos-trace", "ol"):
        for index, pair in enumerate(trace):
            with box("aos-trace-row", "li"):
                _draw_own(inspection_id, index, pair, f"Place {index + 1}")
                _draw_gap(pair.score)
                for place, neighbour in enumerate(pair.neighbours):
                    caption = "Nearest normal" if place == 0 else f"Normal {place + 1}"
                    _draw_normal(inspection_id, index, place, neighbour, caption, distance=True)


def _draw_own(inspection_id: int, index: int, pair: TracePair, caption: str) -> None:
    with box("aos-patch own", "figure"):
        version = f"{pair.place.box.x}-{pair.place.box.y}"
        _picture(f"/media/trace/{inspection_id}/{index}/own?v={version}", f"{caption}: the flagged patch")
        Text(caption, "figcaption")


def _draw_normal(
    inspection_id: int,
    index: int,
    place: int,
    neighbour: TraceNeighbour,
    caption: str,
    *,
    distance: bool = False,
) -> None:
    with box("aos-patch", "figure"):
        address = f"/media/trace/{inspection_id}/{index}/{place}?v={neighbour.bank_position}"
        _picture(address, f"{caption}, from {PurePosixPath(neighbour.place.image).name}")
        with box("", "figcaption"):
            Text(caption)
            if distance:
                Text(number(neighbour.distance), classes="aos-muted")
            Text(neighbour.place.image, "div", "aos-file")


def _draw_gap(distance: float) -> None:
    with box("aos-gap"):
        kit.icon("arrow_range")
        Text(number(distance), "b")
        Text("apart", classes="aos-muted")


def _picture(address: str, alt: str) -> None:
    kit.image(address, alt)
