"""What several processes do at the same moment in the concurrency tests."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.synchronize import Barrier
from typing import Any

from anomalyos.accounts import users
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection import batches, inspections, reviews
from anomalyos.inspection.tables import Inspection
from anomalyos.models import promotions
from anomalyos.models import versions as model_versions
from tests.support.rows import model_version

PATIENCE_S = 120
Outcome = Any


def run_together(
    work: Callable[..., Outcome], settings: Settings, arguments: Sequence[tuple[Any, ...]]
) -> list[Outcome]:
    """Run ``work(settings, wait, *args)`` in one forked process per arguments; results in their order.

    ``wait`` returns when every process has reached it. An error comes back as its class name.
    """
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(len(arguments))
    queue: Any = context.Queue()
    processes = [
        context.Process(target=_child, args=(queue, number, work, settings, barrier, args))
        for number, args in enumerate(arguments)
    ]
    for process in processes:
        process.start()
    outcomes = dict(queue.get(timeout=PATIENCE_S) for _ in processes)
    for process in processes:
        process.join(PATIENCE_S)
    return [outcomes[number] for number in range(len(processes))]


def _child(
    queue: Any,
    number: int,
    work: Callable[..., Outcome],
    settings: Settings,
    barrier: Barrier,
    args: tuple[Any, ...],
) -> None:
    try:
        outcome = work(settings, lambda: barrier.wait(PATIENCE_S), *args)
    except AnomalyOSError as error:
        outcome = type(error).__name__
    except Exception as error:  # noqa: BLE001  (whatever it is, the test must see it)
        outcome = repr(error)
    queue.put((number, outcome))


def upgrade(settings: Settings, wait: Callable[[], Any]) -> str:
    store = Store(settings)
    wait()
    store.upgrade()
    return "ok"


def promote(settings: Settings, wait: Callable[[], Any], category_id: int, version_id: int) -> str:
    store = Store(settings)
    wait()
    with store.session() as session:
        promotions.promote(
            session,
            category_id=category_id,
            version_id=version_id,
            expected_pointer=0,
            actor=f"process {version_id}",
            reason="race",
        )
    return "promoted"


def record(settings: Settings, wait: Callable[[], Any], batch_id: int, images: int) -> int:
    """Record the same images as everybody else; returns how many rows this process made."""
    store = Store(settings)
    made = 0
    wait()
    for number in range(images):
        with store.session() as session:
            row = Inspection(
                work_key=inspections.work_key("night", f"{number}.png", "0" * 64),
                batch_id=batch_id,
                source=f"{number}.png",
                content_sha256="0" * 64,
                verdict="normal",
            )
            made += inspections.record(session, row)[1]
    return made


def decide(settings: Settings, wait: Callable[[], Any], inspection_id: int, decision: str) -> str:
    store = Store(settings)
    with store.session(read_only=True) as session:
        seen = inspections.get(session, inspection_id).review_version
    wait()
    with store.session() as session:
        reviews.decide(
            session,
            inspection_id=inspection_id,
            decision=decision,
            actor=decision,
            expected_version=seen,
        )
    return decision


def first_admin(settings: Settings, wait: Callable[[], Any]) -> str | None:
    store = Store(settings)
    wait()
    with store.session() as session:
        return users.ensure_first_admin(session)


def demote(settings: Settings, wait: Callable[[], Any], name: str) -> str:
    store = Store(settings)
    wait()
    with store.session() as session:
        users.set_role(session, name=name, role="viewer", actor="race")
    return "demoted"


def create_batch(settings: Settings, wait: Callable[[], Any]) -> int | None:
    store = Store(settings)
    wait()
    with store.session() as session:
        return batches.get_or_create(session, key="night", kind="nightly", day="2026-11-24").id


def add_model(settings: Settings, wait: Callable[[], Any], category_id: int) -> int | None:
    store = Store(settings)
    wait()
    with store.session() as session:
        return model_versions.add(session, model_version(category_id, 1)).id
