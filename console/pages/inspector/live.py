"""Inspecting images now: drop, choose or paste them, watch the stages, decide like in the queue."""

from __future__ import annotations

import logging

from fastapi import Request
from nicegui import events, ui

from anomalyos.errors import AnomalyOSError
from anomalyos.store.tables import Role
from console import kit
from console.desk import Desk
from console.kit import Text, box
from console.metrics import Metrics
from console.offload import InspectionPool, off_loop
from console.pages.access import acting, visit
from console.pages.inspector.head import LIVE, Head
from console.pages.inspector.live_job import LiveJob
from console.pages.inspector.result_view import ResultView
from console.pages.inspector.reviewing import Reviewing
from console.theme import Frame, frame
from console.views import Detail

log = logging.getLogger(__name__)

_AUTO = "Recognise the product"


def register(desk: Desk, metrics: Metrics, pool: InspectionPool) -> None:
    @ui.page("/live", response_timeout=30)
    async def live(request: Request) -> None:
        visitor = await visit(request, desk)
        categories = await off_loop(desk.categories)
        with frame("Live", visitor.person, mode="/", open_items=visitor.open_items) as shell:
            await Head(desk, LIVE).show(None)
            LiveView(desk, shell, metrics, pool, categories)


class LiveView:
    """Uploads at the left, the chosen result at the right."""

    def __init__(
        self, desk: Desk, shell: Frame, metrics: Metrics, pool: InspectionPool, categories: list[str]
    ) -> None:
        self._desk = desk
        self._shell = shell
        self._metrics = metrics
        self._pool = pool
        self.jobs: list[LiveJob] = []
        self._chosen: LiveJob | None = None
        with box("aos-review"):
            with box("aos-list", "section").props("aria-label=Uploads"):
                self._draw_intake(categories)
                self._rows = box("aos-items")
            self._right = box().style("min-width: 0; min-height: 0; display: grid")
        reviewing = Reviewing(desk, shell, decided=self._reload, reload=self._reload)
        self._result = ResultView(
            self._right, shell, reviewing, desk.settings.console_url.rstrip("/"), self.step
        )
        with self._right:
            self._draw_invitation(categories)
        ui.timer(0.12, self._tick)

    def _draw_intake(self, categories: list[str]) -> None:
        allowed = self._shell.person.may(Role.REVIEWER) and bool(categories)
        limit = self._desk.settings.max_image_bytes
        self._upload = ui.upload(
            multiple=True,
            auto_upload=True,
            max_file_size=limit,
            on_upload=self._uploaded,
            on_rejected=lambda: self._shell.toast(
                f"A file was refused: at most {limit / 2**20:.0f} MiB each.", icon_name="block"
            ),
        ).classes("aos-uploader")
        self._upload.set_enabled(allowed)
        with box("aos-drop", "button").props("type=button").mark("drop") as drop:
            kit.icon("add_photo_alternate")
            Text("Drop images here", "b")
            Text("or click to choose, or paste")
            if not allowed:
                drop.props["aria-disabled"] = "true"
                ui.tooltip(
                    "No product has a model yet."
                    if not categories
                    else "You are signed in as viewer. Inspecting needs the role reviewer."
                )
        if allowed:
            drop.on("click", js_handler=f"() => getElement({self._upload.id}).$refs.qRef.pickFiles()")
        with box("aos-list-head").style("border-bottom: 0; padding-top: 6px"):
            self._category = ui.select([_AUTO, *categories], value=_AUTO)
            self._category.props("outlined dense options-dense aria-label=Product").mark("live-category")

    def _draw_invitation(self, categories: list[str]) -> None:
        if not categories:
            kit.empty_state(
                "model_training",
                "No product has a model yet",
                "Build one first: anomalyos rebuild CATEGORY. Then come back to this page.",
            )
        elif not self._shell.person.may(Role.REVIEWER):
            kit.empty_state(
                "lock",
                "Looking only",
                "Inspecting images needs the role reviewer. An administrator can give it.",
            )
        else:
            kit.empty_state(
                "photo_camera",
                "Show it a part",
                "The product is recognised by itself. Several photos at once are fine.",
            )

    async def _uploaded(self, event: events.UploadEventArguments) -> None:
        person = await acting(self._desk, self._shell, Role.REVIEWER)
        if person is None:
            return
        data = await event.file.read()
        chosen = None if self._category.value == _AUTO else str(self._category.value)
        job = LiveJob(event.file.name)
        self.jobs.insert(0, job)
        with self._rows:
            job.draw(lambda: self.choose(job))
            job.row.move(target_index=0)
        try:
            row = await self._pool.run(
                lambda: self._desk.inspect(person, data, name=job.name, category=chosen, progress=job.report)
            )
        except AnomalyOSError as error:
            self._failed(job, str(error))
            return
        except Exception:
            # the row must not wait for ever, whatever a model or a disk came up with
            log.exception("inspecting an upload failed")
            self._failed(job, "It could not be inspected. The console's log says why.")
            return
        self._metrics.observe(row.timings_ms)
        assert row.id is not None
        await self._finished(job, row.id)

    def _failed(self, job: LiveJob, reason: str) -> None:
        if not self._shell.client.is_deleted:
            job.fail(reason)

    async def _finished(self, job: LiveJob, inspection_id: int) -> None:
        detail = await off_loop(self._desk.detail, inspection_id)
        if self._shell.client.is_deleted:
            return  # the result is kept; nobody is looking any more
        job.finish(detail)
        self._shell.set_open(await off_loop(self._desk.open_items))
        if self._chosen is None or self._chosen.detail is None:
            await self.choose(job)

    async def choose(self, job: LiveJob) -> None:
        """Show the result of one upload."""
        if job.detail is None or not await acting(self._desk, self._shell, Role.VIEWER):
            return
        for other in self.jobs:
            other.select(other is job)
        self._chosen = job
        await self._show(job.detail)

    async def step(self, by: int) -> None:
        if self._chosen in self.jobs:
            target = self.jobs.index(self._chosen) + by
            if 0 <= target < len(self.jobs):
                await self.choose(self.jobs[target])

    async def _reload(self, inspection_id: int) -> None:
        detail = await off_loop(self._desk.detail, inspection_id)
        for job in self.jobs:
            if job.detail is not None and job.detail.card.id == inspection_id:
                job.finish(detail)
        await self._show(detail)

    async def _show(self, detail: Detail) -> None:
        defects = await off_loop(self._desk.defect_types, detail.card.category)
        self._result.show(detail, defects)

    def _tick(self) -> None:
        for job in self.jobs:
            job.tick()
