"""The page of one known defect: its pictures, where it comes from, and what caused it."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.cases.tables import CaseOrigin
from anomalyos.core.errors import NotFound
from anomalyos.knowledge.causes import RankedCause
from console.components.visitor import reauthorize
from console.pages.knowledge import labels, likelihoods
from console.pages.knowledge.context import Complaint, PageContext, actions, text_field
from console.pages.knowledge.labels import defect_words
from console.security.person import Person
from console.services.blocking import run_blocking
from console.services.knowledge_editor import Saved
from console.services.knowledge_views import CasePage
from console.texts import links, wording
from console.ui import kit
from console.ui.kit import Text, box


class CaseView:
    """Draws a case and redraws it after every change."""

    def __init__(self, context: PageContext, case_id: int) -> None:
        self._context = context
        self._id = case_id
        self._place = box("aos-kb-page")

    async def reload(self) -> None:
        """Show the case as it is now."""
        try:
            page = await run_blocking(self._context.knowledge.case, self._id)
        except NotFound:
            with kit.redrawn(self._place):
                kit.empty_state(
                    "search_off",
                    f"There is no case {self._id}",
                    "The link may be from another installation.",
                    actions=partial(kit.link, "To the search", "/knowledge", "aos-button primary"),
                )
            return
        names = await run_blocking(self._context.knowledge.categories)
        size = await run_blocking(self._context.services.pictures.case_photo_size, self._id)
        with kit.redrawn(self._place):
            self._draw(page, names.get(page.case.category) or wording.product(page.case.category), size)

    def _draw(self, page: CasePage, product: str, size: tuple[int, int] | None) -> None:
        case = page.case
        with box("aos-kb-top"):
            with box("aos-kb-crumbs"):
                labels.kind_mark("case")
                kit.link(product, links.node_page(f"category:{case.category}"), "aos-kb-link")
                if case.severity in labels.SEVERITIES:
                    kit.badge(labels.severity_label(case.severity))
                if case.synthetic:
                    kit.synthetic_badge()
            Text(f"{defect_words(case.defect_type)} on {product}", "h1", "aos-title")
            Text(f"Case {case.id}", "p", "aos-muted")
            self._draw_tools(page)
        with box("aos-kb-cols"):
            with box("aos-kb-main"):
                _draw_pictures(page, size)
                self._draw_causes(page)
            with box("aos-kb-side"):
                _draw_facts(page)
                _draw_evidence(page)

    def _draw_tools(self, page: CasePage) -> None:
        case = page.case
        if case.removed_at is not None:
            by = "because its review changed" if case.removed_by == "review" else f"by {case.removed_by}"
            kit.notice(
                f"Removed {by}, {wording.moment(case.removed_at)}. No search finds it; it proves nothing.",
                "rejected",
                "delete",
            )
        with box("aos-kb-row"):
            if case.inspection_id is not None:
                kit.link(
                    "Its inspection",
                    links.inspection(case.inspection_id),
                    "aos-button small",
                    "center_focus_strong",
                )
            if page.listed:
                kit.link("Its defect type", links.node_page(page.defect), "aos-button small", "dangerous")
            if not self._context.person.may(Role.ENGINEER):
                return
            if case.removed_at is None:
                kit.button("Remove", self._remove, icon_name="delete", classes="small quiet").mark(
                    "remove-case"
                )
            else:
                kit.button("Restore", self._restore, icon_name="restore_from_trash", classes="small").mark(
                    "restore-case"
                )

    # causes --------------------------------------------------------------------------------------

    def _draw_causes(self, page: CasePage) -> None:
        with kit.section("aos-kb-section", "What caused it"):
            if page.standing is not None:
                self._draw_standing(page)
            elif not page.listed:
                kit.notice(
                    f"{defect_words(page.case.defect_type)} is not listed for this product, so no cause "
                    "can be confirmed. These are causes of its other defects.",
                    "unsure",
                    "info",
                )
            elif page.case.removed_at is None:
                Text("Nobody has established the cause yet.", "p", "aos-muted")
            if not page.causes:
                Text("No cause is listed for this product.", "p", "aos-muted")
                return
            may = (
                self._context.person.may(Role.REVIEWER)
                and page.listed
                and page.standing is None
                and page.case.removed_at is None
            )
            chosen = page.standing.cause if page.standing else ""
            likelihoods.draw_causes(page.causes, tools=self._draw_confirm if may else None, chosen=chosen)

    def _draw_standing(self, page: CasePage) -> None:
        standing = page.standing
        assert standing is not None
        with box("aos-kb-standing tone-normal").mark("standing"):
            kit.icon("verified")
            with box("what"):
                Text(page.names.get(standing.cause, standing.cause), classes="strong")
                Text(
                    f"Established by {standing.actor}, {wording.moment(standing.created_at)}",
                    "p",
                    "aos-small",
                )
                if standing.note:
                    Text(standing.note, "p", "aos-small aos-kb-note")
            if self._context.person.may(Role.REVIEWER):
                kit.button("Withdraw", self._withdraw, icon_name="undo", classes="small").mark("withdraw")

    def _draw_confirm(self, cause: RankedCause) -> None:
        kit.button(
            "This was it",
            lambda: self._confirm(cause),
            icon_name="verified",
            classes="small",
            tip=f"Confirm as the cause: {cause.name}",
        ).mark(f"confirm-{cause.key}")

    async def _confirm(self, cause: RankedCause) -> None:
        if await reauthorize(self._context.services, self._context.frame, Role.REVIEWER) is None:
            return

        async def confirm() -> None:
            def work(who: Person) -> Saved:
                return self._context.editor.confirm_cause(
                    who, self._id, cause.key, note=str(note.value or "")
                )

            if await self._context.attempt(Role.REVIEWER, work, self.reload):
                window.close()

        with self._context.frame.dialog("Confirm the cause") as window:
            Text(f"{cause.name} caused case {self._id}. Likelihoods of this defect type follow at once.", "p")
            note = text_field("How it was found out", "", limit=2000, rows=3)
            actions(window, "Confirm", confirm)

    async def _withdraw(self) -> None:
        await self._context.attempt(
            Role.REVIEWER, lambda who: self._context.editor.withdraw_cause(who, self._id), self.reload
        )

    # removing ------------------------------------------------------------------------------------

    async def _remove(self) -> None:
        if await reauthorize(self._context.services, self._context.frame, Role.ENGINEER) is None:
            return

        async def remove() -> None:
            words = str(reason.value or "").strip()
            if not words:
                complaint.say("Say why; whoever wonders later will want to know.", icon_name="info")
                return
            if await self._context.attempt(
                Role.ENGINEER, lambda who: self._context.editor.remove_case(who, self._id, words), self.reload
            ):
                window.close()

        with self._context.frame.dialog(f"Remove case {self._id}") as window:
            Text("It leaves every search and counts nowhere. It can be restored at any time.", "p")
            reason = text_field("Reason", "", limit=500)
            complaint = Complaint()
            actions(window, "Remove", remove, danger=True)

    async def _restore(self) -> None:
        await self._context.attempt(
            Role.ENGINEER, lambda who: self._context.editor.restore_case(who, self._id), self.reload
        )


def box_svg(box_: dict[str, int], width: int, height: int) -> str:
    """The case's place in its photograph, made from numbers alone."""
    x, y, w, h = (float(box_.get(name, 0)) for name in ("x", "y", "width", "height"))
    shape = f'x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}"'
    return (
        f'<svg viewBox="0 0 {int(width)} {int(height)}" preserveAspectRatio="none">'
        f'<rect class="region-halo" {shape}/><rect class="region-line" {shape}/></svg>'
    )


def _draw_pictures(page: CasePage, size: tuple[int, int] | None) -> None:
    case = page.case
    if size is None:
        kit.notice("The photograph is missing or damaged.", "unsure", "broken_image")
        return
    with box("aos-kb-case-pictures"):
        with box("aos-kb-figure", "figure"):
            kit.image(f"/media/case/{case.id}/crop", f"The defect: {defect_words(case.defect_type)}")
            Text("The defect", "figcaption")
        with box("aos-kb-figure", "figure"):
            with box("aos-kb-photo"):
                kit.image(f"/media/case/{case.id}/photo", "The whole photograph")
                if case.box:
                    with box("overlay"):
                        ui.html(box_svg(case.box, *size), sanitize=False)
            Text("The whole photograph, with its place", "figcaption")


def _draw_facts(page: CasePage) -> None:
    case = page.case
    origin = "confirmed in a review" if case.origin == CaseOrigin.REVIEW else "labelled in a data set"
    folder, _, name = case.source.rpartition("/")
    facts = [("Known because", origin), ("Added", wording.moment(case.added_at)), ("By", case.added_by)]
    if case.origin != CaseOrigin.REVIEW:
        facts += [("File", name), *([("Folder", folder)] if folder else [])]
    if case.area_share:
        facts.append(("Covers", f"{100 * case.area_share:.3g} % of the photo"))
    with kit.section("aos-kb-section", "About this case"):
        kit.facts(facts)
    if case.note:
        with kit.section("aos-kb-section", "Note"):
            Text(case.note, "p", "aos-kb-note").mark("note")


def _draw_evidence(page: CasePage) -> None:
    if not page.evidence:
        return
    with kit.section("aos-kb-section", "Causes on record"), box("aos-kb-history", "ol"):
        for row in reversed(page.evidence):
            with box("aos-kb-revision", "li"):
                kit.icon("undo" if row.withdrawn_at else "verified")
                with box("what"):
                    Text(page.names.get(row.cause, row.cause), classes="strong")
                    Text(f"{row.actor}, {wording.moment(row.created_at)}", "p", "aos-small aos-muted")
                    if row.note:
                        Text(row.note, "p", "aos-small aos-kb-note")
                    if row.withdrawn_at is not None:
                        told = f"Withdrawn by {row.withdrawn_by}, {wording.moment(row.withdrawn_at)}"
                        Text(told, "p", "aos-small aos-muted")
