"""Adding an entry and editing one: what it says now and would say, before anything is saved."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError, Conflict
from anomalyos.knowledge.grammar import SEVERITIES, category_key
from anomalyos.knowledge.tables import NodeKind, Relation
from console.components.visitor import reauthorize
from console.pages.knowledge import labels
from console.pages.knowledge.context import (
    Complaint,
    PageContext,
    Reload,
    actions,
    choice_field,
    enable,
    reason_field,
    text_field,
)
from console.security.person import Person
from console.services.blocking import run_blocking
from console.services.knowledge_editor import Saved
from console.services.knowledge_views import NodePage
from console.texts import links
from console.ui import kit
from console.ui.kit import Text, box


def slug(name: str, blank: str) -> str:
    """What a name is called inside a key: ``Tool worn out`` as ``tool-worn-out``; empty without a letter."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", blank, plain).strip(blank)[:60].strip(blank)


def key_of(kind: str, name: str, category: str = "") -> str:
    """Key of a new node; ``category`` is the product's name in the data, for defect types."""
    if kind == NodeKind.DEFECT:
        return f"{kind}:{category}/{slug(name, '_')}"
    return f"{kind}:{slug(name, '_' if kind == NodeKind.CATEGORY else '-')}"


async def open_adding(context: PageContext, reload: Reload) -> None:
    if await reauthorize(context.services, context.frame, Role.ENGINEER) is None:
        return
    categories = await run_blocking(context.knowledge.choices, NodeKind.CATEGORY)
    Adding(context, reload, {key.partition(":")[2]: name for key, name in categories.items()}).open()


class Adding:
    """One window; the key it will have is shown before it is saved."""

    def __init__(self, context: PageContext, reload: Reload, categories: dict[str, str]) -> None:
        self._context = context
        self._reload = reload
        self._categories = categories

    def open(self) -> None:
        kinds = {str(kind): labels.kind_label(kind).word for kind in NodeKind}
        with self._context.frame.dialog("Add to the knowledge base", wide=True) as window:
            self._window = window
            with box("aos-kb-form"):
                self._kind = choice_field("Kind", kinds, NodeKind.CAUSE.value, self._preview)
                with box() as self._defect_row:
                    first = next(iter(self._categories), None)
                    self._category = choice_field("Product", self._categories, first, self._preview)
                    severities = {name: labels.severity_label(name).word for name in SEVERITIES}
                    self._severity = choice_field("Severity", severities, "functional", self._preview)
                self._name = text_field("Name", "", self._preview)
                self._text = text_field(
                    "Text", "", self._preview, limit=2000, rows=3, tip="One to three sentences."
                )
                self._reason = reason_field()
            self._complaint = Complaint()
            self._change = box("aos-kb-change").mark("preview")
            self._save = actions(window, "Add", self._saved)
            self._preview()

    @property
    def _is_defect(self) -> bool:
        return bool(self._kind.value == NodeKind.DEFECT)

    def _key(self) -> str:
        name = str(self._name.value or "")
        if not slug(name, "-") or (self._is_defect and not self._category.value):
            return ""
        return key_of(str(self._kind.value), name, str(self._category.value or ""))

    def _preview(self) -> None:
        self._defect_row.set_visibility(self._is_defect)
        key = self._key()
        enable(self._save, bool(key))
        with kit.redrawn(self._change):
            if not key:
                Text("Give it a name.", "p", "aos-muted aos-small")
                return
            labels.kind_mark(str(self._kind.value))
            Text(str(self._name.value).strip(), classes="strong")
            Text(str(self._text.value or ""), "p")
            Text(f"Its key will be {key}.", "p", "aos-muted aos-small")

    async def _saved(self) -> None:
        key = self._key()
        if not key:
            self._complaint.say("Give it a name.", icon_name="info")
            return
        joined = None
        if self._is_defect:
            joined = (category_key(str(self._category.value)), str(Relation.HAS_DEFECT), key)

        def work(who: Person) -> Saved:
            return self._context.editor.add_node(
                who,
                key,
                name=str(self._name.value),
                text=str(self._text.value or ""),
                attributes={"severity": self._severity.value} if self._is_defect else {},
                joined=joined,
                reason=str(self._reason.value or ""),
            )

        if await self._context.attempt(Role.ENGINEER, work, self._reload):
            self._window.close()
            self._context.frame.client.open(links.node_page(key))


async def open_editing(context: PageContext, page: NodePage, reload: Reload) -> None:
    if await reauthorize(context.services, context.frame, Role.ENGINEER) is not None:
        NodeEditor(context, page, reload).open()


class NodeEditor:
    """One window; after a conflict it compares with what the node became meanwhile."""

    def __init__(self, context: PageContext, page: NodePage, reload: Reload) -> None:
        self._context = context
        self._page = page
        self._reload = reload
        self._is_defect = page.entry.kind == NodeKind.DEFECT

    def open(self) -> None:
        entry = self._page.entry
        with self._context.frame.dialog(f"Edit {entry.name}", wide=True) as window:
            self._window = window
            with box("aos-kb-form"):
                self._name = text_field("Name", entry.name, self._preview)
                self._text = text_field("Text", entry.text, self._preview, limit=2000, rows=3)
                if self._is_defect:
                    options = {name: labels.severity_label(name).word for name in SEVERITIES}
                    chosen = entry.severity if entry.severity in options else None
                    self._severity = choice_field("Severity", options, chosen, self._preview)
                self._facts = text_field(
                    "Facts",
                    "\n".join(f"{name}: {value}" for name, value in _others(self._page.attributes).items()),
                    self._preview,
                    limit=3000,
                    rows=2,
                    tip="One a line: name, colon, value.",
                )
                self._reason = reason_field()
            self._complaint = Complaint()
            self._change = box("aos-kb-change").mark("preview")
            self._save = actions(window, "Save", self._saved)
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
        with kit.redrawn(self._change):
            if not changed:
                Text("Nothing is changed yet.", "p", "aos-muted aos-small")
            else:
                _draw_rows(changed)
        enable(self._save, bool(changed))

    async def _saved(self) -> None:
        name, text, attributes = self._wanted()
        version = self._page.version
        if (name, text, attributes) == (self._page.entry.name, self._page.entry.text, self._page.attributes):
            self._complaint.say("Nothing is changed yet.", icon_name="info")
            return
        done = await self._context.attempt(
            Role.ENGINEER,
            lambda who: self._context.editor.edit_node(
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
            self._page = await run_blocking(self._context.knowledge.node, self._page.entry.key)
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
            kit.icon_line("edit", name, "what")
            Text(before or "nothing", classes="before" + ("" if before else " aos-muted"))
            Text(after or "nothing", classes="after" + ("" if after else " aos-muted"))
