"""A secret that is shown once: a new password or token, with a button that copies it."""

from __future__ import annotations

import json

from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame


def show_once(shell: Frame, title: str, text: str, secret: str) -> None:
    """A window that only its button closes, so that a stray click does not lose the secret."""

    async def copy() -> None:
        done = await shell.client.run_javascript(f"return aos.copy({json.dumps(secret)})", timeout=3)
        said.set_text("Copied." if done else "Copying is not allowed here. Select it and copy it by hand.")

    with shell.dialog(title, persistent=True) as window:
        Text(text, "p", "aos-muted")
        with box("aos-once"):
            Text(secret, "code").mark("secret")
            kit.button("Copy", copy, icon_name="content_copy", classes="small").mark("copy-secret")
        said = Text(
            "It is shown only now and cannot be looked up later.", "p", "aos-small aos-muted", role="status"
        )
        with box("aos-dialog-actions"):
            kit.button("I have kept it", window.close, classes="primary").mark("secret-kept")
