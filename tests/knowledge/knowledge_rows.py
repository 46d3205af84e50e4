"""Cases and a small graph for tests of knowledge, with everything that does not matter filled in."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import Session

from anomalyos.cases.tables import DefectCase
from anomalyos.db.rows import stored_id
from anomalyos.knowledge import edits

MIA = "mia"
CRACK = "defect:nut/crack"
HOLE = "defect:nut/hole"

SMALL_SEED = """
categories:
  nut:
    name: Nut
    text: A nut.
    defects:
      crack:
        name: Crack
        text: It is cracked.
        severity: functional
        signs: [line]
        causes: {drop: 1.5, heat: 0.5}
      hole:
        name: Hole
        text: It has a hole.
        severity: critical
        signs: [spot]
        causes: {insect: 2, drop: 1}
signs:
  line: {name: Line, text: A line.}
  spot: {name: Spot, text: A spot.}
causes:
  drop: {name: Dropped, text: It fell., steps: [store], remedies: [pad], checks: [look]}
  heat: {name: Too hot, text: It was hot., steps: [store], remedies: [cool], checks: [look]}
  insect: {name: Insect, text: It was eaten., steps: [store], remedies: [cool], checks: [look]}
steps:
  store: {name: Storage, text: It lies there.}
remedies:
  pad: {name: Pad it, text: Put pads.}
  cool: {name: Cool it, text: Cool down.}
checks:
  look: {name: Look, text: Look at it.}
"""


def write_seed(include_dir: Path, text: str = SMALL_SEED) -> None:
    """Put one seed file into ``include_dir/knowledge``."""
    folder = include_dir / "knowledge"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "seed.yaml").write_text(text, encoding="utf-8")


def case(session: Session, number: int = 1, defect_type: str = "crack", category: str = "nut") -> int:
    """Id of a new case."""
    row = DefectCase(
        content_key=f"{number:064d}",
        category=category,
        defect_type=defect_type,
        origin="import",
        source=f"{number}.png",
        image_sha256="a" * 64,
        image_path="a",
        crop_path="b",
        added_by=MIA,
        change=number,
    )
    session.add(row)
    session.flush()
    return stored_id(row.id)


def small_graph(session: Session) -> None:
    """The same graph as ``SMALL_SEED``'s crack, written by a person."""
    edits.add_node(session, "category:nut", name="Nut", actor=MIA)
    edits.add_node(session, CRACK, name="Crack", actor=MIA, attributes={"severity": "functional"})
    edits.add_edge(session, "category:nut", "has_defect", CRACK, actor=MIA)
    for slug, weight in (("drop", 1.5), ("heat", 0.5)):
        edits.add_node(session, f"cause:{slug}", name=slug, actor=MIA)
        edits.add_edge(session, CRACK, "caused_by", f"cause:{slug}", actor=MIA, weight=weight)
