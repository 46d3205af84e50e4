"""Taking a picture with the camera of the device in hand. live.js does the work; the words are here."""

from __future__ import annotations

import json

from nicegui import ui

from console.ui import kit
from console.ui.kit import Text, box

WORDS = {
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
    with box("aos-camera", "dialog", aria_label="Take a picture", data_words=json.dumps(WORDS)).mark(
        "camera"
    ):
        with box("aos-camera-head"):
            Text("Take a picture", "h2")
            with box("aos-camera-choice", "label").props("data-cam=choice hidden"):
                Text("Camera")
                box("", "select").props("data-cam=cameras")
            _button("close", "Close", "close", "quiet")
        with box("aos-camera-stage"):
            box("", "video", aria_label="What the camera sees").props(
                "data-cam=video playsinline muted autoplay"
            )
            with box("aos-camera-veil").props("data-cam=veil"):
                kit.icon("photo_camera")
            box("aos-camera-last", "img").props("data-cam=last hidden alt='The picture taken last'")
        with box("aos-camera-foot"):
            Text(WORDS["asking"], "p").props("data-cam=status role=status")
            _button("retry", "Try again", "refresh", "").props("hidden")
            with _button("take", "Take the picture", "photo_camera", "primary"):
                kit.key("Space")


def _button(part: str, text: str, icon_name: str, classes: str) -> ui.element:
    with kit.press(f"aos-button {classes}", data_cam=part) as button:
        kit.icon(icon_name)
        Text(text)
    return button
