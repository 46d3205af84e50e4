"""Models, people, tokens and the audit log: what each role sees, may do, and is refused."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from nicegui import ui
from nicegui.testing import User

from anomalyos.accounts import audit, tokens, users
from anomalyos.accounts.tables import ApiToken, AuditEvent, Role
from anomalyos.core.errors import Conflict, NotAllowed
from anomalyos.models import categories, promotions
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import ModelVersion
from console.security.person import Person
from console.services.accounts import LogQuestion
from tests.console.conftest import PASSWORD, PEOPLE, Console, SignIn
from tests.console.test_frame import promote

PATIENCE = 50
"""Tenths of a second."""
METRICS = {
    "image_auroc": 0.98,
    "aupro": 0.9,
    "false_alarms": {
        "0.05": {"hits": 2, "of": 60, "rate": 2 / 60, "low95": 0.0, "high95": 0.1, "promised": 0.05},
        "0.1": {"hits": 9, "of": 60, "rate": 9 / 60, "low95": 0.0, "high95": 0.2, "promised": 0.1},
    },
    "test_hash": "a",
}


def add_bundle(console: Console, product: str, *, passed: bool | None = True, auroc: float = 0.98) -> int:
    """A version whose files are those its manifest lists; returns its number."""
    from hashlib import sha256

    from anomalyos.core.files.immutable import MANIFEST
    from anomalyos.patchcore.bundle import FORMAT

    with console.store.session() as session:
        category = categories.by_name(session, product)
        assert category.id is not None
        number = model_versions.next_version(session, category.id)
        folder = console.services.settings.bundles_dir / product / f"{number:04}"
        folder.mkdir(parents=True)
        (folder / "bank.bin").write_bytes(b"normal" * 500)
        entry = {"sha256": sha256(b"normal" * 500).hexdigest(), "bytes": 3000}
        text = json.dumps({"format": FORMAT, "files": {"bank.bin": entry}}).encode()
        (folder / MANIFEST).write_bytes(text)
        model_versions.add(
            session,
            ModelVersion(
                category_id=category.id,
                version=number,
                content_key=f"{product}-{number}",
                bundle_path=f"{product}/{number:04}",
                bundle_sha256=sha256(text).hexdigest(),
                recipe="lite",
                recipe_hash="0" * 64,
                alpha=0.0488,
                threshold=2.0,
                metrics={**METRICS, "image_auroc": auroc},
                gate_passed=passed,
                gate_reason="image AUROC fell" if passed is False else "",
            ),
        )
    return number


def champion(console: Console, product: str = "stripes") -> int:
    with console.store.session(read_only=True) as session:
        version = model_versions.champion(session, product)
    assert version is not None
    return version.version


def put_in_use(console: Console, product: str, version: int) -> None:
    with console.store.session(read_only=True) as session:
        version_id = model_versions.by_version(session, product, version).id
    assert version_id is not None
    promote(console, product, version_id)


def events(console: Console, action: str) -> list[AuditEvent]:
    with console.store.session(read_only=True) as session:
        return list(audit.recent(session, action=action))


def person(name: str) -> Person:
    return Person(list(PEOPLE).index(name) + 1, name, Role(PEOPLE[name]))


async def sees(user: User, text: str) -> None:
    """Wait for ``text``: verifying files and hashing passwords take a moment on a busy machine."""
    await user.should_see(text, retries=PATIENCE)


def secret(user: User) -> str:
    return str(next(iter(user.find(marker="secret").elements)).text)


async def elsewhere(request: Awaitable[httpx.Response]) -> httpx.Response:
    """The answer to a request of another browser.

    In a task of its own, as a server has it: NiceGUI's simulation would otherwise take its session for
    that of the page the test goes on with.
    """
    return await asyncio.ensure_future(_awaited(request))


async def _awaited(request: Awaitable[httpx.Response]) -> httpx.Response:
    return await request


async def can_sign_in(console: Console, name: str, password: str) -> bool:
    async with console.new_client() as client:
        form = {"name": name, "password": password, "next": "/"}
        answer = await elsewhere(client.post("/login", data=form))
    return answer.headers["location"] == "/"


# who may see what ------------------------------------------------------------------------------

ALLOWED = {
    "/admin/models": {"erik", "ada"},
    "/admin/audit": {"erik", "ada"},
    "/admin/people": {"ada"},
    "/admin/tokens": {"ada"},
    "/tokens": {"victor", "mia", "erik", "ada"},
}


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("path", ALLOWED)
async def test_each_page_is_for_its_roles(console: Console, sign_in: SignIn, path: str, name: str) -> None:
    user = await sign_in(name)
    await user.open(path)
    if name in ALLOWED[path]:
        await user.should_not_see("Not for your role")
    else:
        await sees(user, "Not for your role")
        await user.should_not_see(kind=ui.element, marker="add-person")


async def test_admin_leads_to_models(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("erik")
    answer = await user.http_client.get("/admin", follow_redirects=False)
    assert answer.headers["location"] == "/admin/models"
    await user.open("/admin/models")
    await sees(user, "Audit log")
    await user.should_not_see("People")


@pytest.mark.parametrize("name", ["victor", "mia", "erik"])
def test_the_services_themselves_refuse_lower_roles(console: Console, name: str) -> None:
    accounts, models, actor = (
        console.services.accounts,
        console.services.models,
        person(name),
    )
    for act in (
        lambda: accounts.people(actor),
        lambda: accounts.add_person(actor, "eve", "admin"),
        lambda: accounts.set_role(actor, name, "admin"),
        lambda: accounts.set_active(actor, "ada", False),
        lambda: accounts.reset_password(actor, "ada"),
        lambda: accounts.tokens(actor, everybody=True),
    ):
        with pytest.raises(NotAllowed):
            act()
    if name != "erik":
        for act in (
            lambda: models.products(actor),
            lambda: models.promote(actor, "stripes", 1, "why", 0),
            lambda: models.roll_back(actor, "stripes", "why", 0),
            lambda: accounts.log(actor, LogQuestion()),
            lambda: accounts.export_log(actor, LogQuestion()),
        ):
            with pytest.raises(NotAllowed):
                act()
    with console.store.session(read_only=True) as session:
        assert [user.role for user in users.list_all(session)] == ["admin", "engineer", "reviewer", "viewer"]


# models ----------------------------------------------------------------------------------------


async def test_versions_come_with_their_figures_and_the_gates_word(console: Console, sign_in: SignIn) -> None:
    add_bundle(console, "stripes", passed=False)
    user = await sign_in("erik")
    await user.open("/admin/models?product=stripes")
    await sees(user, "v1 is in use")
    for sight in ("0.9800", "0.9000", "2 of 60", "promised 5.0%", "3 kB", "Refused", "image AUROC fell"):
        await user.should_see(sight)
    await sees(user, "v1 in use · v2 was refused")
    await sees(user, "files missing")  # v1 of the factory has no bundle
    await sees(user, "inspects only when the gate lets it pass")
    await user.should_see(marker="retrain")
    await user.open("/admin/models?product=nothing")
    await sees(user, "There is no such product")


async def test_a_promotion_wants_a_reason_and_can_be_taken_back(console: Console, sign_in: SignIn) -> None:
    first, second = add_bundle(console, "stripes"), add_bundle(console, "stripes", auroc=0.99)
    put_in_use(console, "stripes", first)
    user = await sign_in("erik")
    await user.open("/admin/models?product=stripes")
    user.find(marker=f"promote-{second}").click()
    await sees(user, "Let v3 inspect Stripes?")
    await sees(user, "0.0100 better")
    user.find(marker="confirm-move").click()
    await sees(user, "Write a word about why.")
    assert champion(console) == first
    user.find(marker="reason").type("fewer <b>false</b> alarms")
    user.find(marker="confirm-move").click()
    await sees(user, "Stripes is inspected with v3 now.")
    assert champion(console) == second
    moved = events(console, "model.promote")[0]
    assert (moved.actor, moved.subject) == ("erik", "category:stripes")
    assert moved.detail["reason"] == "fewer <b>false</b> alarms"
    await sees(user, "v3 is in use since")
    user.find(marker="toast-undo").click()
    await sees(user, "Taken back: Stripes is on v2 again.")
    assert champion(console) == first


async def test_a_refused_version_is_promoted_only_with_a_warning(console: Console, sign_in: SignIn) -> None:
    number = add_bundle(console, "stripes", passed=False)
    user = await sign_in("erik")
    await user.open("/admin/models?product=stripes")
    user.find(marker=f"promote-{number}").click()
    await sees(user, "The gate refused this version: image AUROC fell")
    user.find(marker="cancel").click()
    assert champion(console) == 1


async def test_a_rollback_goes_back_and_can_be_undone(console: Console, sign_in: SignIn) -> None:
    first, second = add_bundle(console, "stripes"), add_bundle(console, "stripes")
    put_in_use(console, "stripes", first)
    put_in_use(console, "stripes", second)
    user = await sign_in("erik")
    await user.open("/admin/models?product=stripes")
    user.find(marker="roll-back").click()
    await sees(user, "Return Stripes to v2?")
    user.find(marker="reason").type("too many alarms")
    user.find(marker="confirm-move").click()
    await sees(user, "Stripes is back on v2.")
    assert champion(console) == first
    assert events(console, "model.rollback")[0].actor == "erik"
    user.find(marker="toast-undo").click()
    await sees(user, "Taken back: Stripes is on v3 again.")
    assert champion(console) == second


async def test_without_an_earlier_version_there_is_nothing_to_roll_back(
    console: Console, sign_in: SignIn
) -> None:
    user = await sign_in("erik")
    await user.open("/admin/models?product=dots")
    user.find(marker="roll-back").click()
    await sees(user, "There is no earlier version to return to.")
    await user.should_not_see(marker="confirm-move")


@pytest.mark.parametrize("damage", ["bank.bin", "manifest.json"])
async def test_a_damaged_version_is_refused_with_words(
    console: Console, sign_in: SignIn, damage: str
) -> None:
    number = add_bundle(console, "stripes")
    folder: Path = console.services.settings.bundles_dir / "stripes" / f"{number:04}"
    (folder / damage).write_bytes(b"broken")
    user = await sign_in("erik")
    await user.open("/admin/models?product=stripes")
    user.find(marker=f"promote-{number}").click()
    user.find(marker="reason").type("try it")
    user.find(marker="confirm-move").click()
    await sees(user, "It was not put in use. Choose another version, or rebuild it.")
    assert champion(console) == 1
    assert events(console, "model.promote") == []


async def test_somebody_elses_move_is_not_overwritten(console: Console, sign_in: SignIn) -> None:
    first, second = add_bundle(console, "stripes"), add_bundle(console, "stripes")
    user = await sign_in("erik")
    await user.open("/admin/models?product=stripes")
    user.find(marker=f"promote-{first}").click()
    put_in_use(console, "stripes", second)
    user.find(marker="reason").type("better")
    user.find(marker="confirm-move").click()
    await sees(user, "was changed by somebody else in the meantime")
    assert champion(console) == second


async def test_an_undo_after_somebody_elses_move_is_refused(console: Console) -> None:
    first, second = add_bundle(console, "stripes"), add_bundle(console, "stripes")
    put_in_use(console, "stripes", first)
    service, erik = console.services.models, person("erik")
    moved = service.promote(erik, "stripes", second, "better", 1)
    assert (moved.previous, moved.version) == (first, second)
    third = add_bundle(console, "stripes")
    put_in_use(console, "stripes", third)
    with pytest.raises(Conflict):
        service.take_back(erik, moved)
    assert champion(console) == third


async def test_a_role_taken_away_counts_before_the_promotion(console: Console, sign_in: SignIn) -> None:
    number = add_bundle(console, "stripes")
    user = await sign_in("erik")
    await user.open("/admin/models?product=stripes")
    user.find(marker=f"promote-{number}").click()
    user.find(marker="reason").type("better")
    with console.store.session() as session:
        users.set_role(session, name="erik", role="reviewer", actor="ada")
    user.find(marker="confirm-move").click()
    await asyncio.sleep(0.3)
    assert champion(console) == 1


async def test_long_lists_of_versions_are_paged(console: Console, sign_in: SignIn) -> None:
    for _ in range(8):
        add_bundle(console, "stripes")
    user = await sign_in("erik")
    await user.open("/admin/models?product=stripes")
    await sees(user, "1–8 of 9")
    await user.should_see(marker="version-9")
    await user.should_not_see(marker="version-1")
    await user.open("/admin/models?product=stripes&offset=8")
    await user.should_see(marker="version-1")
    await user.should_not_see(marker="version-9")


# people ----------------------------------------------------------------------------------------


async def test_a_person_is_added_with_a_password_shown_once(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("ada")
    await user.open("/admin/people")
    user.find(marker="add-person").click()
    user.find(marker="new-name").type("nora")
    user.find(marker="confirm-add").click()
    await sees(user, "The password of nora")
    password = secret(user)
    assert await can_sign_in(console, "nora", password)
    user.find(marker="secret-kept").click()
    await user.should_see(marker="person-nora", retries=PATIENCE)
    created = events(console, "user.create")[0]
    assert (created.actor, created.subject, created.detail) == ("ada", "user:nora", {"role": "reviewer"})
    assert password not in str([event.model_dump() for event in events(console, "user.create")])


@pytest.mark.parametrize(
    ("name", "words"), [("mia", "There is a user 'mia' already."), ("Dr. X", "cannot be a user name")]
)
async def test_names_that_do_not_do_are_refused(
    console: Console, sign_in: SignIn, name: str, words: str
) -> None:
    user = await sign_in("ada")
    await user.open("/admin/people")
    user.find(marker="add-person").click()
    user.find(marker="new-name").type(name)
    user.find(marker="confirm-add").click()
    await sees(user, words)
    await user.should_not_see(marker="secret")


async def test_a_changed_role_ends_the_sessions_and_can_be_undone(console: Console, sign_in: SignIn) -> None:
    mia, ada = await sign_in("mia"), await sign_in("ada")
    await ada.open("/admin/people")
    ada.find(marker="role-mia").click()
    next(iter(ada.find(marker="role-choice").elements)).value = "engineer"
    ada.find(marker="confirm-role").click()
    await sees(ada, "mia is engineer now.")
    assert (await elsewhere(mia.http_client.get("/nights"))).status_code == 303
    ada.find(marker="toast-undo").click()
    await sees(ada, "mia is reviewer now.")
    assert [(e.actor, e.detail["role"]) for e in events(console, "user.set_role")] == [
        ("ada", "reviewer"),
        ("ada", "engineer"),
    ]


async def test_a_person_is_switched_off_and_on(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("ada")
    await user.open("/admin/people")
    user.find(marker="switch-mia").click()
    await sees(user, "mia is switched off and signed out.")
    assert not await can_sign_in(console, "mia", PASSWORD)
    user.find(marker="toast-undo").click()
    await sees(user, "mia may sign in again.")
    assert await can_sign_in(console, "mia", PASSWORD)


async def test_a_new_password_replaces_the_old_after_a_question(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("ada")
    await user.open("/admin/people")
    user.find(marker="reset-mia").click()
    await sees(user, "A new password for mia?")
    assert await can_sign_in(console, "mia", PASSWORD)
    user.find(marker="confirm-reset").click()
    await sees(user, "The new password of mia")
    assert not await can_sign_in(console, "mia", PASSWORD)
    assert await can_sign_in(console, "mia", secret(user))


async def test_the_last_administrator_stays(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("ada")
    await user.open("/admin/people")
    user.find(marker="switch-ada").click()
    await sees(user, "ada is the last administrator.")
    user.find(marker="role-ada").click()
    next(iter(user.find(marker="role-choice").elements)).value = "viewer"
    user.find(marker="confirm-role").click()
    await asyncio.sleep(0.3)
    with console.store.session(read_only=True) as session:
        ada = users.by_name(session, "ada")
    assert (ada.role, ada.active) == ("admin", True)


async def test_people_are_searched_and_paged(console: Console, sign_in: SignIn) -> None:
    with console.store.session() as session:
        for number in range(30):
            session.add(users.User(name=f"line{number:02}", password_hash="none", role="viewer"))
    user = await sign_in("ada")
    await user.open("/admin/people")
    await sees(user, "1–25 of 34")
    await user.open("/admin/people?offset=25")
    await sees(user, "26–34 of 34")
    await user.open("/admin/people?q=MI")
    await user.should_see(marker="person-mia")
    await user.should_not_see(marker="person-ada")
    await user.open("/admin/people?q=%25")
    await sees(user, "Nobody is called “%”")


# tokens ----------------------------------------------------------------------------------------


async def test_everybody_makes_and_ends_tokens_of_their_own(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/tokens")
    await sees(user, "No token yet")
    user.find(marker="new-token").click()
    user.find(marker="token-name").type("line <1>")
    user.find(marker="confirm-token").click()
    await sees(user, "Your new token")
    plain = secret(user)
    bearer = {"Authorization": f"Bearer {plain}"}
    assert (await elsewhere(console.client.get("/api/inspections/1", headers=bearer))).status_code == 404
    with console.store.session(read_only=True) as session:
        kept = tokens.list_all(session)[0]
    assert plain not in str(kept.model_dump())
    assert kept.expires_at is not None
    assert abs(kept.expires_at - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=1)
    user.find(marker="secret-kept").click()
    await sees(user, "line <1>")
    user.find(marker=f"revoke-{kept.id}").click()
    await sees(user, "Revoke “line <1>”?")
    user.find(marker="confirm-revoke").click()
    await sees(user, "“line <1>” is revoked.")
    assert (await elsewhere(console.client.get("/api/inspections/1", headers=bearer))).status_code == 401
    assert [events(console, action)[0].actor for action in ("token.create", "token.revoke")] == ["mia", "mia"]


async def test_viewers_cannot_make_tokens_that_inspect(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("victor")
    await user.open("/tokens")
    user.find(marker="new-token").click()
    await sees(user, "needs the role reviewer")
    assert not next(iter(user.find(marker="scope-inspect").elements)).enabled


@pytest.mark.parametrize("days", [0, 3651, None])
async def test_lifetimes_out_of_range_are_refused(
    console: Console, sign_in: SignIn, days: int | None
) -> None:
    user = await sign_in("mia")
    await user.open("/tokens")
    user.find(marker="new-token").click()
    user.find(marker="token-name").type("line 1")
    next(iter(user.find(marker="token-days").elements)).value = days
    user.find(marker="confirm-token").click()
    await sees(user, "A token lives 1 to 3650 days.")
    with console.store.session(read_only=True) as session:
        assert tokens.list_all(session) == []


def test_others_tokens_are_ended_by_admins_only(console: Console) -> None:
    service = console.services.accounts
    with console.store.session(read_only=True) as session:
        ids = {user.name: user.id or 0 for user in users.list_all(session)}
    mia, erik, ada = (Person(ids[name], name, Role(PEOPLE[name])) for name in ("mia", "erik", "ada"))
    service.create_token(mia, "line 1", ["read"], 30)
    with console.store.session(read_only=True) as session:
        token_id = tokens.list_all(session)[0].id or 0
    with pytest.raises(NotAllowed):
        service.revoke_token(erik, token_id)
    assert service.tokens(erik, everybody=False)[0] == []
    assert [token.state for token in service.tokens(mia, everybody=False)[0]] == ["works"]
    service.revoke_token(ada, token_id)
    assert [(t.owner, t.state) for t in service.tokens(ada, everybody=True)[0]] == [("mia", "revoked")]


async def test_expired_tokens_are_marked(console: Console, sign_in: SignIn) -> None:
    with console.store.session() as session:
        owner = users.by_name(session, "mia").id or 0
        past = datetime.now(UTC) - timedelta(days=1)
        session.add(
            ApiToken(user_id=owner, name="old", token_sha256="0" * 64, scopes=["read"], expires_at=past)
        )
    user = await sign_in("ada")
    await user.open("/admin/tokens")
    await sees(user, "Expired")
    await sees(user, "mia")
    await user.should_not_see("Revoke")


# audit log -------------------------------------------------------------------------------------


def fill_log(console: Console, count: int = 3) -> None:
    with console.store.session() as session:
        for number in range(count):
            audit.write(
                session,
                actor="mia" if number % 2 else "=erik",
                action="review.decide",
                subject=f"inspection:{number}",
                detail={"decision": "defect", "note": "=1+1"},
            )


async def test_the_log_is_filtered_by_its_address(console: Console, sign_in: SignIn) -> None:
    fill_log(console)
    user = await sign_in("erik")
    await user.open("/admin/audit?actor=mia&action=review.decide")
    await sees(user, "1 event")
    await sees(user, "inspection:1")
    await user.should_not_see("inspection:2")
    await user.open("/admin/audit?subject=inspection:2")
    await sees(user, "1 event")
    await user.open("/admin/audit?since=2999-01-01")
    await sees(user, "Nothing fits")
    today = datetime.now(UTC).date().isoformat()
    await user.open(f"/admin/audit?subject=inspection:&since={today}&until={today}")
    await sees(user, "3 events")
    for odd in (
        "/admin/audit?since=nonsense&until=9999-12-31",
        "/admin/audit?before=0",
        "/admin/audit?actor=%00",
    ):
        await user.open(odd)
        await sees(user, "7 events")


async def test_the_log_is_paged_by_the_server(console: Console, sign_in: SignIn) -> None:
    fill_log(console, 60)
    user = await sign_in("erik")
    await user.open("/admin/audit?action=review.decide")
    await sees(user, "50 of 60")
    await sees(user, "Older")
    await user.should_not_see("Newer")
    service, erik, asked = (
        console.services.accounts,
        person("erik"),
        LogQuestion(action="review.decide"),
    )
    newest = service.log(erik, asked)
    oldest = service.log(erik, asked, before=newest.older)
    assert (len(newest.events), len(oldest.events), oldest.older) == (50, 10, None)
    assert {e.id for e in newest.events}.isdisjoint(e.id for e in oldest.events)
    back = service.log(erik, asked, after=oldest.newer)
    assert [e.id for e in back.events] == [e.id for e in newest.events]


async def test_the_export_is_safe_filtered_and_recorded(console: Console, sign_in: SignIn) -> None:
    fill_log(console)
    user = await sign_in("erik")
    answer = await user.http_client.get("/api/console/audit.csv?subject=inspection:0")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0][2:5] == ["actor", "action", "subject"]
    assert rows[1][2:] == ["'=erik", "review.decide", "inspection:0", "decision: defect · note: =1+1"]
    assert len(rows) == 2
    kept = events(console, "audit.export")[0]
    assert (kept.actor, kept.detail) == ("erik", {"subject": "inspection:0"})


@pytest.mark.parametrize(("name", "status"), [("victor", 403), ("mia", 403), ("erik", 200), ("ada", 200)])
async def test_the_export_is_for_engineers(console: Console, sign_in: SignIn, name: str, status: int) -> None:
    user = await sign_in(name)
    assert (await user.http_client.get("/api/console/audit.csv")).status_code == status
    assert (await console.client.get("/api/console/audit.csv")).status_code == 401


async def test_subjects_lead_to_their_pages(console: Console, sign_in: SignIn) -> None:
    fill_log(console, 1)
    for name, links_to_people in (("erik", False), ("ada", True)):
        user = await sign_in(name)
        page = (await user.http_client.get("/admin/audit")).text
        assert "/inspection/0" in page
        assert ("/admin/people?q=mia" in page) == links_to_people


def test_the_moves_of_a_pointer_are_on_record(console: Console) -> None:
    number = add_bundle(console, "stripes")
    put_in_use(console, "stripes", number)
    with console.store.session(read_only=True) as session:
        moves = promotions.recent_moves(session, "stripes")
        assert promotions.rollback_target(session, "stripes") is None
        assert promotions.newest_id(session) == moves[0].id
    assert [(move.version, move.actor, move.reason) for move in moves] == [(number, "airflow", "better")]
