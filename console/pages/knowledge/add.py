"""Adding something new: a product, a defect type of one, a sign, a cause, a step, a remedy or a check."""

from __future__ import annotations

import re
import unicodedata

from anomalyos.accounts.tables import Role
from anomalyos.knowledge.grammar import SEVERITIES, category_key
from anomalyos.knowledge.tables import NodeKind, Relation
from console.components.visitor import reauthorize
from console.pages.knowledge import form, labels
from console.pages.knowledge.room import Reload, Room
from console.security.person import Person
from console.services.blocking import run_blocking
from console.services.knowledge_editor import Saved
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


async def open_dialog(room: Room, reload: Reload) -> None:
    if await reauthorize(room.services, room.frame, Role.ENGINEER) is None:
        return
    categories = await run_blocking(room.knowledge.choices, NodeKind.CATEGORY)
    Adding(room, reload, {key.partition(":")[2]: name for key, name in categories.items()}).open()


class Adding:
    """One window; the key it will have is shown before it is saved."""

    def __init__(self, room: Room, reload: Reload, categories: dict[str, str]) -> None:
        self._room = room
        self._reload = reload
        self._categories = categories

    def open(self) -> None:
        kinds = {str(kind): labels.kind_label(kind).word for kind in NodeKind}
        with self._room.frame.dialog("Add to the knowledge base", wide=True) as window:
            self._window = window
            with box("aos-kb-form"):
                self._kind = form.choice_field("Kind", kinds, NodeKind.CAUSE.value, self._preview)
                with box() as self._defect_row:
                    first = next(iter(self._categories), None)
                    self._category = form.choice_field("Product", self._categories, first, self._preview)
                    severities = {name: labels.severity_label(name).word for name in SEVERITIES}
                    self._severity = form.choice_field("Severity", severities, "functional", self._preview)
                self._name = form.text_field("Name", "", self._preview)
                self._text = form.text_field(
                    "Text", "", self._preview, limit=2000, rows=3, tip="One to three sentences."
                )
                self._reason = form.reason_field()
            self._complaint = form.Complaint()
            self._change = box("aos-kb-change").mark("preview")
            self._save = form.actions(window, "Add", self._saved)
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
        form.enable(self._save, bool(key))
        self._change.clear()
        with self._change:
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
            return self._room.editor.add_node(
                who,
                key,
                name=str(self._name.value),
                text=str(self._text.value or ""),
                attributes={"severity": self._severity.value} if self._is_defect else {},
                joined=joined,
                reason=str(self._reason.value or ""),
            )

        if await self._room.attempt(Role.ENGINEER, work, self._reload):
            self._window.close()
            self._room.frame.client.open(labels.node_address(key))
