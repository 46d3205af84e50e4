"""The audit log: a plain form for the filters, so every question has an address."""

from __future__ import annotations

from urllib.parse import urlencode

from anomalyos.accounts.tables import AuditEvent, Role
from console.components.visitor import Visitor
from console.container import Services
from console.pages.admin.tabs import admin_page
from console.security.person import Person
from console.services.accounts import LogPage, LogQuestion, detail_text
from console.services.blocking import run_blocking
from console.texts import links, wording
from console.ui import kit
from console.ui.kit import Text, box

PATH = "/admin/audit"
WORDS = {
    "review.decide": "Decided",
    "review.undo": "Took a decision back",
    "model.promote": "Promoted a model",
    "model.rollback": "Rolled a model back",
    "model.retrain": "Started a retraining",
    "model.retrain_stop": "Stopped a retraining",
    "user.create": "Added a person",
    "user.set_role": "Changed a role",
    "user.set_password": "Changed a password",
    "user.enable": "Switched a person on",
    "user.disable": "Switched a person off",
    "token.create": "Created a token",
    "token.revoke": "Revoked a token",
    "case.add": "Added a case",
    "case.remove": "Removed a case",
    "case.restore": "Brought a case back",
    "case.annotate": "Changed a case's note",
    "audit.export": "Exported the audit log",
    "data.release": "Released an image to learn from",
    "data.keep_out": "Kept an image out of learning",
    "data.let_go_on": "Let a stopped batch go on",
}


async def log(
    services: Services,
    visitor: Visitor,
    actor: str = "",
    action: str = "",
    subject: str = "",
    since: str = "",
    until: str = "",
    before: int | None = None,
    after: int | None = None,
) -> None:
    asked = LogQuestion.read(actor, action, subject, since, until)
    with admin_page(visitor, PATH):
        found = await run_blocking(
            services.accounts.log, visitor.person, asked, before=_number(before), after=_number(after)
        )
        actions = await run_blocking(services.accounts.log_actions, visitor.person)
        _draw_filters(asked, actions)
        _draw_answer(found, asked, visitor.person)


def _number(value: int | None) -> int | None:
    """An id a database can hold; anything else asks for the newest page."""
    return value if value is not None and 0 < value < 2**31 else None


# filters ---------------------------------------------------------------------------------------


def _draw_filters(asked: LogQuestion, actions: list[str]) -> None:
    with box("aos-log-filters", "form") as form:
        form.props(f"method=get action={PATH} role=search aria-label='Filter the audit log'")
        _field("Who", "actor", asked.actor, "type=text maxlength=64 placeholder='mia, airflow, cli'")
        _choice("What", "action", asked.action, actions)
        _field(
            "About", "subject", asked.subject, "type=text maxlength=200 placeholder='inspection:17, user:mia'"
        )
        _field("From", "since", asked.since, "type=date")
        _field("To", "until", asked.until, "type=date")
        with box("aos-filter-actions"):
            kit.icon_line("filter_alt", "Show", "aos-button primary", "button").props("type=submit").mark(
                "apply"
            )
            if asked.query():
                kit.link("Clear", PATH, "aos-button quiet")


def _field(label: str, name: str, value: str, props: str) -> None:
    with box("aos-field"):
        Text(label, "label").props["for"] = f"audit-{name}"
        with box("", "input") as field:
            field.props(props + " autocomplete=off")
            field.props["name"] = name
            field.props["id"] = f"audit-{name}"
            field.props["value"] = value


def _choice(label: str, name: str, value: str, actions: list[str]) -> None:
    with box("aos-field"):
        Text(label, "label").props["for"] = f"audit-{name}"
        with box("", "select", name=name, id=f"audit-{name}"):
            _option("Everything", "", chosen=not value)
            known = actions if not value or value in actions else [value, *actions]
            for action in known:
                _option(WORDS.get(action, action), action, chosen=action == value)


def _option(text: str, value: str, *, chosen: bool) -> None:
    option = Text(text, "option", value=value)
    option.props.set_bool("selected", chosen)


# the answer ------------------------------------------------------------------------------------


def _draw_answer(found: LogPage, asked: LogQuestion, person: Person) -> None:
    query = asked.query()
    with box("aos-admin-bar"):
        Text(wording.plural(found.total, "event"), "h2", "aos-count-line").mark("event-count")
        kit.link(
            "Export as CSV",
            "/api/console/audit.csv" + (f"?{urlencode(query)}" if query else ""),
            "aos-button",
            "download",
        ).props.set_bool("download", True)
    if not found.events:
        kit.empty_state(
            "receipt_long",
            "Nothing fits" if query else "Nothing has happened yet",
            "Try fewer filters, or a longer time."
            if query
            else "What people and jobs change is listed here.",
        )
        return
    with kit.table("aos-log", ("When", "Who", "What", "About", "Details")):
        for event in found.events:
            _draw_event(event, person)
    _draw_pager(found, query)


def _draw_event(event: AuditEvent, person: Person) -> None:
    address = links.subject(event.subject)
    if event.subject.startswith("user:") and not person.may(Role.ADMIN):
        address = None
    with box("", "tr").mark(f"event-{event.id}"):
        Text(wording.moment(event.created_at), "td", "aos-nowrap aos-muted")
        with box("", "td"):
            kit.link(event.actor, f"{PATH}?" + urlencode({"actor": event.actor}), "aos-adm-link")
        with box("", "td"):
            Text(WORDS.get(event.action, event.action), "div")
            Text(event.action, "div", "aos-small aos-muted")
        with box("aos-wrap", "td"):
            if address is not None:
                kit.link(event.subject, address, "aos-adm-link")
            else:
                Text(event.subject)
        Text(detail_text(event), "td", "aos-wrap aos-small")


def _draw_pager(found: LogPage, query: dict[str, str]) -> None:
    if found.newer is None and found.older is None:
        return
    with box("aos-pager", "nav", aria_label="Pages"):
        Text(f"{len(found.events)} of {found.total:,}")
        with box("aos-pager-buttons"):
            if found.newer is not None:
                kit.link("Newest", PATH + (f"?{urlencode(query)}" if query else ""), "aos-button small")
                newer = urlencode({**query, "after": str(found.newer)})
                kit.link("Newer", f"{PATH}?{newer}", "aos-button small", "chevron_left")
            if found.older is not None:
                older = urlencode({**query, "before": str(found.older)})
                kit.link("Older", f"{PATH}?{older}", "aos-button small", "chevron_right")
