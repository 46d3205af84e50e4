"""The ways a photo comes in: dropped, chosen, pasted, or taken with the camera."""

from __future__ import annotations

import json

from nicegui import events, ui

from anomalyos.accounts.tables import Role
from console.components.visitor import reauthorize
from console.container import Services
from console.services.live_line import LiveLine
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

CAMERA_WORDS = {
    "asking": "Waiting for the camera. The browser may ask whether it may be used.",
    "ready": "Hold the part still and take the picture.",
    "sent": "Picture {n} is being inspected. Take the next one, or close.",
    "NotAllowedError": "The browser may not use the camera. Allow it beside the address, then try again.",
    "NotFoundError": "No camera was found. Connect one, then try again.",
    "NotReadableError": "Another program is using the camera. Close that, then try again.",
    "OverconstrainedError": "This camera is gone. Choose another one, or try again.",
    "insecure": "Browsers allow the camera only over https. Open the console by its https address, "
    "or choose a photo instead.",
    "ended": "The camera was disconnected. Connect it, then try again.",
    "other": "The camera did not start. Try again, or choose a photo instead.",
}
"""By what live.js met: a state, or the name of the browser's error."""


def draw_camera() -> None:
    """The dialog, closed. Whatever has ``data-cam-open`` opens it."""
    with box("aos-camera", "dialog", aria_label="Take a picture", data_words=json.dumps(CAMERA_WORDS)).mark(
        "camera"
    ):
        with box("aos-camera-head"):
            Text("Take a picture", "h2")
            with box("aos-camera-choice", "label").props("data-cam=choice hidden"):
                Text("Camera")
                box("", "select").props("data-cam=cameras")
            _camera_button("close", "Close", "close", "quiet")
        with box("aos-camera-stage"):
            box("", "video", aria_label="What the camera sees").props(
                "data-cam=video playsinline muted autoplay"
            )
            with box("aos-camera-veil").props("data-cam=veil"):
                kit.icon("photo_camera")
            box("aos-camera-last", "img").props("data-cam=last hidden alt='The picture taken last'")
        with box("aos-camera-foot"):
            Text(CAMERA_WORDS["asking"], "p").props("data-cam=status role=status")
            _camera_button("retry", "Try again", "refresh", "").props("hidden")
            with _camera_button("take", "Take the picture", "photo_camera", "primary"):
                kit.key("Space")


def _camera_button(part: str, text: str, icon_name: str, classes: str) -> ui.element:
    with kit.press(f"aos-button {classes}", data_cam=part) as button:
        kit.icon(icon_name)
        Text(text)
    return button


_AUTO = "Recognise the product"
_NOT_TAKEN = """(entries) => emit(entries.map((entry) =>
  [String(entry.file?.name ?? ''), String(entry.failedPropValidation ?? '')]))"""
_NOT_SENT = "(info) => emit([info.files.map((file) => String(file.name)), Number(info.xhr?.status ?? 0)])"
_SEND_AGAIN = "Check the connection, then send it again."


class Intake:
    """Puts what arrives into ``line``, with the product chosen at that moment."""

    def __init__(self, services: Services, shell: Frame, line: LiveLine, categories: list[str]) -> None:
        self._services = services
        self._shell = shell
        self._line = line
        self._announced = 0
        self._arrived = 0
        self._stopped = False
        self.allowed = shell.person.may(Role.REVIEWER) and bool(categories)
        self._tip = (
            "No product has a model yet."
            if not categories
            else f"You are signed in as {shell.person.role.value}. Inspecting needs the role reviewer."
        )
        self._draw_uploader()
        with box("aos-intake"):
            with box("aos-ways"):
                self._draw_ways()
            self._category = ui.select([_AUTO, *categories], value=_AUTO)
            self._category.props("outlined dense options-dense aria-label=Product").mark("live-category")
        if self.allowed:
            draw_camera()

    @property
    def sending(self) -> int:
        """Files the browser has announced and not sent yet."""
        return max(0, self._announced - self._arrived)

    def stop_sending(self) -> None:
        """Tell the browser to keep what it has not sent."""
        self._stopped = self.sending > 0
        self._announced = self._arrived = 0
        self._upload.reset()

    def _draw_uploader(self) -> None:
        self._upload = ui.upload(
            multiple=True,
            auto_upload=True,
            max_file_size=self._services.settings.max_image_bytes,
            on_upload=self._uploaded,
        ).classes("aos-uploader")
        self._upload.set_enabled(self.allowed)
        self._upload.on("added", self._added, js_handler="(files) => emit(files.length)")
        self._upload.on("rejected", self._not_taken, js_handler=_NOT_TAKEN)
        self._upload.on("failed", self._not_sent, js_handler=_NOT_SENT)
        # forgotten once sent, so that the same photo may be sent again
        forget = f"() => {{ getElement({self._upload.id}).$refs.qRef.reset(); emit(); }}"
        self._upload.on("finish", self._all_sent, js_handler=forget)

    def _draw_ways(self) -> None:
        with kit.press("aos-drop").mark("drop") as drop:
            kit.icon("add_photo_alternate")
            Text("Choose photos", "b")
            Text("or drop or paste them")
        with kit.press("aos-button aos-camera-open").mark("open-camera") as camera:
            kit.icon("photo_camera")
            Text("Camera")
            camera.props["aria-label"] = "Take a picture with the camera"
        if self.allowed:
            drop.on("click", js_handler=f"() => getElement({self._upload.id}).$refs.qRef.pickFiles()")
            camera.props["data-cam-open"] = "true"
            return
        for button in (drop, camera):
            button.props["aria-disabled"] = "true"
            with button:
                ui.tooltip(self._tip)

    def _added(self, event: events.GenericEventArguments) -> None:
        if isinstance(event.args, int):
            self._stopped = False
            self._announced += event.args

    def _all_sent(self) -> None:
        # an upload may overtake its announcement, so the counts are put straight whenever all is sent
        self._announced = self._arrived = 0

    async def _uploaded(self, event: events.UploadEventArguments) -> None:
        person = await reauthorize(self._services, self._shell, Role.REVIEWER)
        self._arrived += 1
        if person is not None:
            chosen = None if self._category.value == _AUTO else str(self._category.value)
            self._line.add(person, event.file, chosen)

    async def _not_taken(self, event: events.GenericEventArguments) -> None:
        """The browser's own checks: too large, or on its way already."""
        person = await reauthorize(self._services, self._shell, Role.REVIEWER)
        if person is None:
            return
        limit = f"{self._services.settings.max_image_bytes / 2**20:.0f} MiB"
        for name, why in event.args or []:
            if why == "duplicate":
                self._shell.toast(f"{name} is on its way already.", icon_name="content_copy")
            else:
                reason = f"The file is larger than {limit}."
                self._line.refuse(person, str(name), reason, "Save it smaller, then send it again.")

    async def _not_sent(self, event: events.GenericEventArguments) -> None:
        names, status = event.args
        self._arrived += len(names)
        person = await reauthorize(self._services, self._shell, Role.REVIEWER)
        if person is None or (self._stopped and not status):
            return
        reason = f"It did not arrive (status {status})." if status else "It did not arrive."
        for name in names:
            self._line.refuse(person, str(name), reason, _SEND_AGAIN)
