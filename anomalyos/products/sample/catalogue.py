"""The fifteen sample products: names, kinds and flaws. Pure data; rendering code is imported on use."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from anomalyos.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from anomalyos.products.sample.shot import Scene, Shot

PREFIX = "sample_"


@dataclass(frozen=True)
class SampleCategory:
    """A product that can be rendered; its code is the module of the same name in ``categories``."""

    name: str
    title: str
    kind: Literal["texture", "object"]
    defects: tuple[str, ...]

    def builder(self) -> Callable[[Shot], Scene]:
        """The function that builds one scene of this product."""
        module = import_module(f"anomalyos.products.sample.categories.{self.name.removeprefix(PREFIX)}")
        build: Callable[[Shot], Scene] = module.build
        return build


CATALOGUE: tuple[SampleCategory, ...] = (
    SampleCategory("sample_woven_cloth", "Woven cloth", "texture",
                   ("missing_thread", "tear", "oil_stain", "loose_fibre", "pulled_thread")),
    SampleCategory("sample_wood_plank", "Wood plank", "texture",
                   ("scratch", "borehole", "liquid_stain", "dent", "crack")),
    SampleCategory("sample_ceramic_tile", "Ceramic tile", "texture",
                   ("crack", "chipped_edge", "glaze_pit", "metal_mark", "glue_residue")),
    SampleCategory("sample_wire_mesh", "Wire mesh", "texture",
                   ("broken_wire", "bent_wire", "rust", "fibre", "spatter")),
    SampleCategory("sample_leather", "Leather", "texture",
                   ("cut", "fold", "poke", "discolouration", "glue")),
    SampleCategory("sample_carpet", "Carpet", "texture",
                   ("cut", "hole", "stain", "thread", "metal_chip")),
    SampleCategory("sample_bottle_cap", "Bottle cap", "object",
                   ("dent", "scratch", "bent_flute", "print_fault", "rust")),
    SampleCategory("sample_hex_nut", "Hex nut", "object",
                   ("chipped_corner", "scratch", "rust", "thread_damage", "crack")),
    SampleCategory("sample_pill", "Pill", "object",
                   ("chip", "crack", "contamination", "faulty_imprint", "discolouration")),
    SampleCategory("sample_cable_section", "Cable cross-section", "object",
                   ("missing_strand", "cut_insulation", "swapped_wire", "poke", "contamination")),
    SampleCategory("sample_screw", "Screw", "object",
                   ("thread_damage", "scratch", "missing_tip", "chipped_head", "rust")),
    SampleCategory("sample_zipper", "Zipper", "object",
                   ("missing_tooth", "split", "bent_tooth", "torn_fabric", "frayed_thread")),
    SampleCategory("sample_gear", "Gear", "object",
                   ("missing_tooth", "chipped_tooth", "crack", "scratch", "corrosion")),
    SampleCategory("sample_pcb_module", "Circuit board", "object",
                   ("missing_part", "tilted_part", "solder_bridge", "scratch", "flux_residue")),
    SampleCategory("sample_hazelnut", "Hazelnut", "object",
                   ("crack", "hole", "cut", "mould", "print")),
)  # fmt: skip

BY_NAME = {category.name: category for category in CATALOGUE}


def sample_category(name: str) -> SampleCategory:
    """Raises NotFound when there is no such sample category."""
    if name not in BY_NAME:
        raise NotFound(f"There is no sample category {name!r}.", f"Known: {', '.join(BY_NAME)}.")
    return BY_NAME[name]
