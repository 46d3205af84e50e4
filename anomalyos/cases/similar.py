"""A known defect that looks like an inspected one."""

from __future__ import annotations

from pydantic import Field

from anomalyos.core.geometry import Box, Frozen


class SimilarCase(Frozen):
    """One known defect that looks like this one."""

    case_id: int
    similarity: float = Field(ge=0, le=1)
    category: str
    defect_type: str
    severity: str = ""
    origin: str
    source: str
    note: str = ""
    synthetic: bool = False
    image_sha256: str
    image_path: str
    """Relative to ``Settings.objects_dir``, as is ``crop_path``."""
    crop_path: str
    box: Box
