"""KnowledgeEditor a node: what it says now and what it would say, side by side, before anything is saved."""

from __future__ import annotations

from typing import Any

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError, Conflict
from anomalyos.knowledge.grammar import SEVERITIES
from anomalyos.knowledge.tables import NodeKind
from console.components.visitor import reauthorize
from console.pages.knowledge import form, labels
from console.pages.knowledge.room import Reload, Room
from console.services.blocking import run_blocking
from console.services.knowledge_views import NodePage
from console.ui import kit
from console.ui.kit import Text, box


async def open_dialog(room: Room, page: NodePage, reload: Reload) -> None:
    if await reauthorize(room.services, room.frame, Role.ENGINEER) is not None:
        NodeEditor(room, page, reload).open()


class NodeEditor:
    """One window; after a conflict it compares with what the node became meanwhile."""

    def __init__(self, room: Room, page: NodePage, reload: Reload) -> None:
        self._room = room
        self._page = page
        self._reload = reload
        self._is_defect = page.entry.kind == NodeKind.DEFECT

    def open(self) -> None:
        entry = self._page.entry
        with self._room.frame.dialog(f"Edit {entry.name}", wide=True) as window:
            self._window = window
            with box("aos-kb-form"):
                self._name = form.text_field("Name", entry.name, self._preview)
                self._text = form.text_field("Text", entry.text, self._preview, limit=2000, rows=3)
                if self._is_defect:
                    options = {name: labels.severity_label(name).word for name in SEVERITIES}
                    chosen = entry.severity if entry.severity in options else None
                    self._severity = form.choice_field("Severity", options, chosen, self._preview)
                self._facts = form.text_field(
                    "Facts",
                    "\n".join(f"{name}: {value}" for name, value in _others(self._page.attributes).items()),
                    self._preview,
                    limit=3000,
                    rows=2,
                    tip="One a line: name, colon, value.",
                )
                self._reason = form.reason_field()
            self._complaint = form.Complaint()
            self._change = box("aos-kb-change").mark("preview")
            self._save = form.actions(window, "Save", self._saved)
            self._preview()

    def _wanted(self) -> tuple[str, str, dict[str, Any]]:
        """Name, text and attributes as the fields have them."""
        attributes = read_facts(str(self._facts.value or ""), self._page.attributes)
        if self._is_defect:
            attributes["severity"] = self._severity.value
        return str(self._name.value or "").strip(), str(self._text.value or "").strip(), attributes

    def _preview(self) -> None:
        name, text, attributes = self._wanted()
        rows = [("Name", self._page.entry.name, name), ("Text", self._page.entry.text, text)]
        old = self._page.attributes
        rows += [
            (str(key).replace("_", " ").capitalize(), _shown(old.get(key)), _shown(attributes.get(key)))
            for key in sorted({*old, *attributes})
        ]
        changed = [row for row in rows if row[1] != row[2]]
        self._change.clear()
        with self._change:
            if not changed:
                Text("Nothing is changed yet.", "p", "aos-muted aos-small")
            else:
                _draw_rows(changed)
        form.enable(self._save, bool(changed))

    async def _saved(self) -> None:
        name, text, attributes = self._wanted()
        version = self._page.version
        if (name, text, attributes) == (self._page.entry.name, self._page.entry.text, self._page.attributes):
            self._complaint.say("Nothing is changed yet.", icon_name="info")
            return
        done = await self._room.attempt(
            Role.ENGINEER,
            lambda who: self._room.editor.edit_node(
                who,
                self._page.entry.key,
                expected_version=version,
                name=name,
                text=text,
                attributes=attributes,
                reason=str(self._reason.value or ""),
            ),
            self._reload,
            conflict=self._overtaken,
        )
        if done:
            self._window.close()

    async def _overtaken(self, error: Conflict) -> None:
        """Compare with what it is now; saving again then is a decision made knowingly."""
        try:
            self._page = await run_blocking(self._room.knowledge.node, self._page.entry.key)
        except AnomalyOSError as gone:
            self._complaint.say(gone)
            return
        newest = self._page.history[0]
        self._complaint.say(
            f"{newest.actor} changed this in the meantime; it is at version {self._page.version} now. "
            "Below, your text stands beside the new state. Save again to put yours in its place.",
            icon_name="sync_problem",
        )
        self._preview()


def read_facts(text: str, known: dict[str, Any]) -> dict[str, Any]:
    """Attributes from lines of ``name: value``.

    A value that reads as the known one does stays as it is, number or text; lines without a name are left
    out. Severity has a field of its own.
    """
    found: dict[str, Any] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        key, value = name.strip(), value.strip()
        if key and key != "severity":
            found[key] = known[key] if key in known and str(known[key]) == value else value
    return found


def _others(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sorted(attributes.items()) if name != "severity"}


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _draw_rows(rows: list[tuple[str, str, str]]) -> None:
    with box("aos-kb-before-after"):
        Text("")
        Text("Now", classes="aos-label")
        Text("After the change", classes="aos-label")
        for name, before, after in rows:
            with box("what"):
                kit.icon("edit")
                Text(name)
            Text(before or "nothing", classes="before" + ("" if before else " aos-muted"))
            Text(after or "nothing", classes="after" + ("" if after else " aos-muted"))
