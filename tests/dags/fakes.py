"""Stand-ins for the model, for tests about wiring: quick, and they store real rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings

if TYPE_CHECKING:
    from anomalyos.db.engine import Store
    from anomalyos.inspection.keeping import Finished
    from anomalyos.inspection.tables import Inspection
    from anomalyos.learning.options import RebuildOptions


@dataclass(frozen=True)
class FakeImage:
    """The content as it came, which is no picture."""

    data: bytes
    rgb: Any = None


class FakeInspector:
    """The content decides: empty is rejected, ``crash`` raises, ``bad...`` is anomalous, the rest normal."""

    lanes = 1

    def __init__(self, settings: Settings, store: Store, *, lanes: int = 1) -> None:
        self.settings = settings
        self.store = store
        self.calls = 0

    def decode(self, data: bytes) -> FakeImage:
        from anomalyos.images.decoding import ImageRejected

        if not data:
            raise ImageRejected("empty", "The file is empty.")
        return FakeImage(data)

    def examine_many(
        self, images: Sequence[FakeImage], category: str | None = None, watch: Any = None
    ) -> list[str]:
        """A verdict each. One ``crash`` among several fails all of them, as too little memory would."""
        crash = any(image.data == b"crash" for image in images)
        if crash and len(images) > 1:
            raise RuntimeError("the model fell over")
        self.calls += len(images)
        if crash:
            raise RuntimeError("the model fell over")
        return ["anomalous" if image.data.startswith(b"bad") else "normal" for image in images]

    def keep(
        self, finished: Sequence[Finished], batch_key: str, writers: Executor | None = None
    ) -> list[Inspection]:
        from anomalyos.db.rows import stored_id
        from anomalyos.inspection import batches, inspections

        with self.store.session() as session:
            batch_id = stored_id(batches.by_key(session, batch_key).id)
            return inspections.record_many(session, [_row(one, batch_key, batch_id) for one in finished])


def _row(one: Finished, batch_key: str, batch_id: int) -> Inspection:
    from anomalyos.images.decoding import ImageRejected
    from anomalyos.inspection import inspections
    from anomalyos.inspection.tables import Inspection

    sha = hashlib.sha256(one.data).hexdigest()
    refused = one.found if isinstance(one.found, ImageRejected) else None
    return Inspection(
        work_key=inspections.work_key(batch_key, one.source, sha),
        batch_id=batch_id,
        source=one.source,
        content_sha256=sha,
        verdict="rejected" if refused else str(one.found),
        reject_code=refused.code if refused else "",
        reject_reason=refused.message if refused else "",
        given_category=one.given,
        score=None if refused else int(sha[:4], 16) / 65536,
    )


def fake_rebuild(
    name: str, settings: Settings, store: Store, options: RebuildOptions, **more: Any
) -> dict[str, Any]:
    """Fails for the category called ``broken``."""
    if name == "broken":
        raise AnomalyOSError("There are no training images.")
    return {"category": name, "created": True, "promoted": True, "force": options.force}


def install_inspector() -> None:
    """Put the stand-in where a night looks for the real one."""
    from anomalyos.inspection import nightly

    _put(nightly, "Inspector", FakeInspector)


def install() -> None:
    """Put the stand-ins where the DAGs' work looks for the real ones."""
    from anomalyos.learning import retraining

    install_inspector()
    _put(retraining, "rebuild_category", fake_rebuild)
    _put(retraining, "refresh_case_base", lambda names, *_: {"cases": dict.fromkeys(names, 0)})


def _put(module: Any, name: str, stand_in: Any) -> None:
    assert hasattr(module, name), f"{module.__name__} has no {name} any more"
    setattr(module, name, stand_in)
