"""Playing the Arena in the tests: material the AI has seen, and the moves of a player."""

from __future__ import annotations

import io

import numpy as np
from nicegui.testing import User
from PIL import Image

from anomalyos.arena import repository as arena
from anomalyos.arena.tables import ArenaCall, ArenaMaterial, ArenaRound
from anomalyos.db.rows import stored_id
from tests.console.conftest import Console
from tests.console.factory import open_night
from tests.support.products import write_product

DAY = "2026-11-24"


async def see(user: User, target: str | None = None, *, marker: str | None = None) -> None:
    """Wait for it patiently: a busy machine takes its time."""
    await user.should_see(target, marker=marker, retries=150)


def stock(console: Console) -> Console:
    """Two products with labelled test images, of which the AI has seen every one."""
    night = open_night(console.store, DAY)
    for product in ("stripes", "dots"):
        root = write_product(console.services.settings.data_dir, product, train=1, good=6, flawed=6)
        for path in sorted((root / "test").rglob("*.png")):
            console.inspector.inspect(path.read_bytes(), source=str(path), batch_key=night, category=product)
    return console


async def begin(user: User, console: Console) -> ArenaRound:
    """Start a free round from the lobby; the browser is on its page afterwards."""
    await user.open("/arena")
    user.find(marker="play-free").click()
    await see(user, "Ready")
    return newest_round(console)


def newest_round(console: Console) -> ArenaRound:
    with console.store.session(read_only=True) as session:
        return max(session.exec(arena.select(ArenaRound)).all(), key=lambda row: row.id or 0)


def calls_of(console: Console, row: ArenaRound) -> list[ArenaCall]:
    with console.store.session(read_only=True) as session:
        return list(arena.calls(session, stored_id(row.id)))


def material_of(console: Console, call: ArenaCall) -> ArenaMaterial:
    with console.store.session(read_only=True) as session:
        return arena.material_of(session, call)


async def next_picture(user: User, marker: str, number: int) -> None:
    user.find(marker=marker).click()
    await see(user, f"Picture {number} of 10")
    await see(user, marker="arena-defect")


async def call(user: User, said: str, token: str, x: float | None = None, y: float | None = None) -> None:
    detail = {"said": said, "call": token, "x": x, "y": y}
    user.find(marker="arena-play").trigger("call", {"detail": detail})


def middle_of_defect(console: Console, item: ArenaCall) -> tuple[float, float]:
    """A place inside the mask of a defective call."""
    row = material_of(console, item)
    mask = np.array(Image.open(io.BytesIO(console.store.objects.read(row.truth_path)))) > 0
    rows, cols = np.nonzero(mask)
    return float(cols.mean()) / mask.shape[1], float(rows.mean()) / mask.shape[0]
