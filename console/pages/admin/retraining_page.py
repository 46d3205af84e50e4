"""Retraining: the form of the DAG, and its runs followed to their end."""

from __future__ import annotations

from functools import partial
from typing import Any, Generic, TypeVar

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.forms import AS_SET, AS_SET_WORDS, Form, FormField
from anomalyos.learning.options import RetrainingOptions
from anomalyos.ops.airflow import AirflowRefused, AirflowUnreachable
from console.components.visitor import Visitor, attempt, reauthorize
from console.container import Services
from console.pages.admin.tabs import admin_page
from console.services.blocking import run_blocking
from console.services.retraining import RunView, Step
from console.texts import wording
from console.texts.wording import Label
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

Asked = TypeVar("Asked", bound=Form)


class OptionsForm(Generic[Asked]):
    """Fields with their defaults; ``options`` reads what was filled in."""

    def __init__(self, form: type[Asked], products: list[str], chosen: str = "") -> None:
        """``products`` may be chosen as ``categories``, ``chosen`` is at first; unknown ones are not."""
        self._form = form
        self._products = products
        self._chosen = [chosen] if chosen in products else []
        self._inputs: dict[str, Any] = {}

    def draw(self) -> None:
        Text("What to learn again", "h2", "aos-label")
        for name, field in self._form.questions().items():
            self._inputs[name] = self._draw(field).mark(name.replace("_", "-"))
            if field.needs is not None:
                self._inputs[name].bind_visibility_from(self._inputs[field.needs], "value")

    def _draw(self, field: FormField) -> Any:
        if field.kind == "boolean":
            return ui.switch(field.title, value=field.default).tooltip(field.description)
        if field.kind == "array":
            names = {name: wording.product(name) for name in self._products}
            drawn: Any = ui.select(names, label=field.title, multiple=True, value=self._chosen)
            drawn.props("use-chips")
        elif field.choices:
            names = {AS_SET: AS_SET_WORDS, **{name: name for name in field.choices}}
            drawn = ui.select(names, label=field.title, value=AS_SET)
        else:
            whole = field.kind == "integer"
            drawn = ui.number(
                field.title,
                value=field.default,
                min=field.minimum,
                max=field.maximum,
                step=1 if whole else 0.01,
                precision=0 if whole else None,
            )
        drawn.props("outlined hide-bottom-space").props["hint"] = field.description
        return drawn

    def options(self) -> Asked:
        """Raises ``AnomalyOSError`` in a sentence about each wrong value."""
        return self._form.of({name: each.value for name, each in self._inputs.items()})


PATH = "/admin/retraining"
LOOK_EVERY = 2.0
"""Seconds between looks at a run that is going on."""
RUN_LABELS = {
    "waiting": Label("Waits", "schedule", "pending"),
    "running": Label("Running", "progress_activity", "accent"),
    "done": Label("Done", "check_circle", "normal"),
    "failed": Label("Failed", "error", "defect"),
}
STEP_ICONS = {
    "waiting": ("radio_button_unchecked", "waits"),
    "running": ("progress_activity", "running"),
    "again": ("replay", "tries again"),
    "done": ("check_circle", "done"),
    "failed": ("error", "failed"),
    "skipped": ("remove", "not needed"),
}


async def retraining(services: Services, visitor: Visitor, product: str = "") -> None:
    with admin_page(visitor, PATH) as shell:
        products = await run_blocking(services.retraining.products, visitor.person)
        view = RetrainingView(services, shell)
        with box("aos-retrain"):
            with box("aos-card aos-retrain-form"):
                view.draw_form(OptionsForm(RetrainingOptions, products, product))
            with box("aos-retrain-runs", "section", aria_label="Runs"):
                view.place = box()
        await view.refresh()


class RetrainingView:
    """Form and runs of one open page."""

    place: ui.element

    def __init__(self, services: Services, shell: Frame) -> None:
        self._services = services
        self._retraining = services.retraining
        self._shell = shell
        self._shown: list[RunView] | None = None
        self._timer = ui.timer(LOOK_EVERY, self.refresh, active=False)

    def draw_form(self, form: OptionsForm[RetrainingOptions]) -> None:
        form.draw()
        refused = box()
        with box("aos-dialog-actions"):
            kit.button(
                "Start retraining",
                partial(self._start, form, refused),
                icon_name="model_training",
                classes="primary",
            ).mark("start-retraining")

    async def _start(self, form: OptionsForm[RetrainingOptions], refused: ui.element) -> None:
        if not await attempt(
            self._services,
            self._shell,
            Role.ENGINEER,
            lambda who: self._retraining.start(who, form.options()),
            refused,
        ):
            return
        self._shell.toast("Airflow has taken it on.", icon_name="model_training")
        await self.refresh()

    async def refresh(self) -> None:
        """Look at the runs, redraw when something has changed, look again while one is going on."""
        person = await reauthorize(self._services, self._shell, Role.ENGINEER)
        if person is None:
            self._timer.deactivate()
            return
        try:
            runs = await run_blocking(self._retraining.runs, person)
        except (AirflowUnreachable, AirflowRefused) as error:
            self._timer.deactivate()
            self._shown = None
            self._draw_unreachable(error)
            return
        if runs != self._shown:
            self._shown = runs
            self._draw(runs)
        if any(not run.over for run in runs):
            self._timer.activate()
        else:
            self._timer.deactivate()

    def _draw_unreachable(self, error: AnomalyOSError) -> None:
        def again() -> None:
            kit.button("Look again", self.refresh, icon_name="refresh").mark("look-again")

        with kit.redrawn(self.place):
            kit.empty_state(
                "cloud_off", "Airflow cannot be asked", f"{error.message} {error.hint}", actions=again
            )

    def _draw(self, runs: list[RunView]) -> None:
        with kit.redrawn(self.place):
            if not runs:
                kit.empty_state(
                    "model_training",
                    "Nothing was retrained yet",
                    "Runs show here with every step, whether started here, in Airflow or by drift.",
                )
            for run in runs:
                self._draw_run(run)

    def _draw_run(self, run: RunView) -> None:
        with box("aos-card aos-run", "article").mark(f"run-{run.state}"):
            with box("aos-run-head"):
                kit.badge(RUN_LABELS[run.state])
                Text(asked(run), "h3", "grow")
                if not run.over:
                    kit.button("Stop", partial(self._stop, run.run_id), icon_name="stop_circle").mark("stop")
                kit.link(
                    "In Airflow", run.address, "aos-button", "open_in_new", target="_blank", rel="noopener"
                )
            Text(when(run), "p", "aos-small aos-muted")
            if not run.over:
                bar = box(
                    "aos-progress", aria_label="Steps that have ended", aria_valuenow=round(100 * run.share)
                ).props("role=progressbar aria-valuemin=0 aria-valuemax=100")
                with bar:
                    box().style(f"width: {100 * run.share:.0f}%")
            with box("aos-steps", "ul"):
                for step in run.steps:
                    draw_step(step)
            for line in run.outcome:
                Text(line, "p", "aos-run-line aos-wrap")

    async def _stop(self, run_id: str) -> None:
        if not await attempt(
            self._services, self._shell, Role.ENGINEER, lambda who: self._retraining.stop(who, run_id)
        ):
            return
        self._shell.toast("Stopped. What inspects has not changed by that.", icon_name="stop_circle")
        await self.refresh()


def draw_step(step: Step) -> None:
    icon_name, words = STEP_ICONS[step.state]
    with box(f"aos-step {step.state}", "li"):
        kit.icon(icon_name)
        Text(wording.product(step.name) if step.product else step.name)
        Text(words, classes="aos-small aos-muted")


def asked(run: RunView) -> str:
    """``Zipper and Hex nut`` or ``All products``, and what else was asked for."""
    names = [wording.product(name) for name in run.asked.get("categories") or []]
    products = [step.name for step in run.steps if step.product]
    if run.by_drift:
        named = ", ".join(wording.product(name) for name in products)
        return f"Because of drift: {named}" if named else "Because of drift"
    text = ", ".join(names) if names else "All products"
    return f"{text}, dry run" if run.asked.get("dry_run") else text


def when(run: RunView) -> str:
    if run.started is None:
        return "Waits for its turn."
    if run.ended is None:
        return f"Since {wording.moment(run.started)}."
    took = (run.ended - run.started).total_seconds()
    return f"{wording.moment(run.started)}, took {wording.duration(took)}."
