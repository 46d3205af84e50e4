"""Stand-ins for the model, for tests about wiring: quick, and they store real rows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings

if TYPE_CHECKING:
    from anomalyos.db.engine import Store
    from anomalyos.inspection.tables import Inspection
    from anomalyos.learning.options import RebuildOptions


class FakeInspector:
    """The content decides: empty is rejected, ``crash`` raises, ``bad...`` is anomalous, the rest normal."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.calls = 0

    def inspect(
        self, data: bytes, *, source: str, batch_key: str, category: str | None = None, progress: Any = None
    ) -> Inspection:
        from anomalyos.inspection import batches, inspections
        from anomalyos.inspection.tables import Inspection

        self.calls += 1
        if data == b"crash":
            raise RuntimeError("the model fell over")
        sha = hashlib.sha256(data).hexdigest()
        verdict = "rejected" if not data else "anomalous" if data.startswith(b"bad") else "normal"
        with self.store.session() as session:
            batch = batches.by_key(session, batch_key)
            assert batch.id is not None
            row = Inspection(
                work_key=inspections.work_key(batch_key, source, sha),
                batch_id=batch.id,
                source=source,
                content_sha256=sha,
                verdict=verdict,
                reject_code="" if data else "empty",
                reject_reason="" if data else "The file is empty.",
                given_category=category,
                score=None if verdict == "rejected" else int(sha[:4], 16) / 65536,
            )
            return inspections.record(session, row)[0]


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
    _put(nightly, "get_inspector", lambda: FakeInspector(*_current()))


def install() -> None:
    """Put the stand-ins where the DAGs' work looks for the real ones."""
    from anomalyos.learning import retraining

    install_inspector()
    _put(retraining, "rebuild_category", fake_rebuild)
    _put(retraining, "refresh_case_base", lambda names, *_: {"cases": dict.fromkeys(names, 0)})


def _put(module: Any, name: str, stand_in: Any) -> None:
    assert hasattr(module, name), f"{module.__name__} has no {name} any more"
    setattr(module, name, stand_in)


def _current() -> tuple[Settings, Store]:
    from anomalyos.core.settings import get_settings
    from anomalyos.db.engine import open_store

    return get_settings(), open_store(get_settings())
