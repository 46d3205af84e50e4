"""Places in a photograph."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Box(Frozen):
    """Pixels of the photograph, the origin at its top left."""

    x: int
    y: int
    width: int
    height: int
