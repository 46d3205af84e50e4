"""The graph as a file: anybody may take it along; engineers bring one in, having seen what it changes."""

from __future__ import annotations

from collections.abc import Mapping

from nicegui import ui
from nicegui.events import UploadEventArguments

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError
from anomalyos.knowledge import exchange
from anomalyos.knowledge.bulk import Content
from console.components.visitor import attempt, reauthorize
from console.pages.knowledge import history
from console.pages.knowledge.context import PageContext, said
from console.services.blocking import run_blocking
from console.services.inspection import clean_name
from console.services.knowledge_editor import ImportPreview
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box

WORDS = (
    ("added", "new"),
    ("updated", "changed"),
    ("removed", "removed"),
    ("kept", "kept as people made them"),
    ("unchanged", "the same"),
)


class ExchangeView:
    def __init__(self, context: PageContext) -> None:
        self._context = context

    def open(self) -> None:
        with box("aos-kb-page aos-kb-exchange"):
            Text("Import and export", "h1", "aos-title")
            with box("aos-card"):
                Text("Take it along", "h2")
                Text("All entries and connections that stand now, without cases.", "p", "aos-muted")
                with box("aos-kb-row"):
                    kit.link(
                        "YAML, for people", "/knowledge/export/knowledge.yaml", icon_name="download"
                    ).props("download")
                    kit.link(
                        "GraphML, for graph tools",
                        "/knowledge/export/knowledge.graphml",
                        icon_name="download",
                    ).props("download")
            with box("aos-card"):
                Text("Bring one in", "h2")
                if self._context.person.may(Role.ENGINEER):
                    self._draw_upload()
                else:
                    Text("Engineers can import a file here.", "p", "aos-muted")

    def _draw_upload(self) -> None:
        Text(
            "Nothing is written before you have seen the counts. An import adds and changes, never removes.",
            "p",
            "aos-muted",
        )
        upload = ui.upload(on_upload=self._received, auto_upload=True, max_file_size=exchange.MAX_BYTES)
        upload.props("accept='.yaml,.yml,.graphml,.xml'")
        upload.classes("aos-kb-upload").mark("import-file")
        upload.on("rejected", self._too_large, [])
        upload.on("failed", self._too_large, [])
        self._upload = upload
        # knowledge.js opens the file dialog at once: browsers refuse one that is asked for later
        with box("aos-kb-row"):
            kit.button("Choose a YAML or GraphML file", icon_name="upload_file", data_kb_pick="")
        self._preview = box("aos-kb-import").props("aria-live=polite")

    def _too_large(self) -> None:
        self._context.frame.toast("The file is too large, or of another kind.", icon_name="error")

    async def _received(self, event: UploadEventArguments) -> None:
        if await reauthorize(self._context.services, self._context.frame, Role.ENGINEER) is None:
            return
        name, data = clean_name(event.file.name), await event.file.read()
        await self.preview(name, data)

    async def preview(self, name: str, data: bytes) -> None:
        """Show what a file would change."""
        person = await reauthorize(self._context.services, self._context.frame, Role.ENGINEER)
        if person is None:
            return
        self._upload.reset()
        self._preview.clear()
        try:
            content = await run_blocking(_read, name, data)
            preview = await run_blocking(self._context.editor.preview_import, person, content)
        except AnomalyOSError as error:
            with self._preview:
                kit.icon_line("error", said(error), "aos-notice tone-unsure").mark("refused")
            return
        keys = [key for revision in preview.first for key in history.keys_of(revision.subject)]
        entries = await run_blocking(self._context.knowledge.entries, keys)
        names = {key: entry.name for key, entry in entries.items()}
        names |= {key: str(facts["name"]) for key, facts in content.nodes.items()}
        with self._preview:
            self._draw_preview(name, content, preview, names)

    def _draw_preview(
        self, name: str, content: Content, preview: ImportPreview, names: Mapping[str, str]
    ) -> None:
        Text(f"What {name} would change", "h3")
        for what, word in (("nodes", "Entries"), ("edges", "Connections")):
            Text(f"{word}: {counted(preview.counts[what])}", "p").mark(f"import-{what}")
        written = sum(
            number[kind] for number in preview.counts.values() for kind in ("added", "updated", "removed")
        )
        if not written:
            kit.notice("Everything in it is known already. There is nothing to import.", "normal", "task_alt")
            return
        if len(preview.first) < written:
            Text(f"The first {len(preview.first)} of {written:,} changes:", "p", "aos-muted aos-small")
        history.draw(preview.first, names)

        async def apply() -> None:
            await self._apply(content)

        with box("aos-kb-row"):
            count = wording.plural(written, "change")
            kit.button(f"Import {count}", apply, icon_name="upload", classes="primary").mark("import-apply")
            kit.button("Leave it", self._preview.clear, classes="quiet").mark("import-leave")

    async def _apply(self, content: Content) -> None:
        services, editor = self._context.services, self._context.editor
        done = await attempt(
            services,
            self._context.frame,
            Role.ENGINEER,
            lambda who: editor.import_content(who, content),
            say=said,
        )
        if done is None:
            return
        (counts,) = done
        with kit.redrawn(self._preview):
            told = f"Imported. Entries: {counted(counts['nodes'])}. Connections: {counted(counts['edges'])}."
            kit.notice(told, "normal", "check_circle").mark("imported")
            kit.link("See the changes", "/knowledge/changes", "aos-kb-link", "history")


def counted(counts: Mapping[str, int]) -> str:
    """``3 new, 1 changed, 700 the same``."""
    return ", ".join(f"{counts[name]:,} {word}" for name, word in WORDS if counts.get(name)) or "none"


def _read(name: str, data: bytes) -> Content:
    from pathlib import PurePath

    return exchange.parse(data, exchange.format_of(PurePath(name)))  # type: ignore[arg-type]
