"""Screenshots of every page, light and dark: ``make gallery`` writes ``docs/gallery``.

The home they are taken from is ``var/gallery``, prepared once from sample products and kept; ``--home`` takes
another one, which must have the people of this module.
"""

from __future__ import annotations

import argparse
import io
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from PIL import Image
from selenium.webdriver.common.by import By
from sqlmodel import col, select

from anomalyos.accounts import users
from anomalyos.cases.tables import DefectCase
from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.db.engine import Store
from anomalyos.inspection import inspections, reviews
from anomalyos.inspection.tables import Inspection, Verdict
from tests.e2e.browser import Browser, needs_browser
from tests.e2e.console_home import PASSWORD, console_environment, sign_in, wait_until_healthy
from tests.e2e.whole import free_port

if TYPE_CHECKING:
    from anomalyos.inspection.inspector import Inspector

GALLERY = PROJECT_ROOT / "docs" / "gallery"
HOME = PROJECT_ROOT / "var" / "gallery"
PRODUCTS = ("sample_zipper", "sample_hex_nut", "sample_leather", "sample_pill", "sample_pcb_module")
PEOPLE = {"victor": "viewer", "mia": "reviewer", "sam": "reviewer", "erik": "engineer", "ada": "admin"}
NIGHTS = 8
NOTES = ("", "", "", "edge of the belt", "seen twice this week")
QUALITY = 88
DESK, TABLET = (1280, 800), (1024, 768)


def prepare(home: Path) -> None:
    """Learned products, a week of nights that two people reviewed, and the newest still open."""
    from anomalyos.classifier.train import train_classifier
    from anomalyos.inspection.inspector import Inspector
    from anomalyos.learning.case_base import follow_reviews, refresh_case_base
    from anomalyos.learning.options import RebuildOptions
    from anomalyos.learning.rebuild import rebuild_category
    from anomalyos.products.sample import write_dataset

    settings = Settings(home=home, database_url="", _env_file=None)
    store = Store(settings)
    store.upgrade()
    write_dataset(settings.data_dir, categories=PRODUCTS)
    for name in PRODUCTS:
        rebuild_category(name, settings, store, actor="erik")
    rebuild_category(PRODUCTS[0], settings, store, RebuildOptions(force=True), actor="erik", run_id="second")
    refresh_case_base(PRODUCTS, settings, store)
    train_classifier("sample_zipper", settings, store, trials=3, actor="erik")
    with store.session() as session:
        for name, role in PEOPLE.items():
            if users.find(session, name) is None:
                users.create(session, name=name, password=PASSWORD, role=role, actor="admin")
    inspector, rng = Inspector(settings, store), Random(1)
    today = datetime.now().astimezone().date()
    for back in range(NIGHTS, 0, -1):
        day = (today - timedelta(days=back)).isoformat()
        truth = _inspect_night(settings, store, inspector, day)
        if back > 1:
            _review(store, f"night-{day}", truth, rng)
    follow_reviews(settings, store)
    _work_of_people(store)
    _drift(settings, store, today)
    store.close()


def _drift(settings: Settings, store: Store, today: date) -> None:
    """One product whose lamp grows old over the last nights, one that is quiet, the others too young."""
    from anomalyos.drift.check import check_drift
    from anomalyos.drift.simulation import inject_drift

    for name, ageing in (("sample_pill", (0.0, 0.1, 0.25, 0.6)), ("sample_hex_nut", (0.0, 0.0))):
        for back, strength in zip(range(len(ageing), 0, -1), ageing, strict=True):
            count = 60 if strength else 100
            inject_drift(name, settings, store, actor="erik", count=count, strength=strength)
            check_drift(name, settings, store, day=(today - timedelta(days=back)).isoformat())
    check_drift("sample_zipper", settings, store, day=(today - timedelta(days=1)).isoformat())


def _inspect_night(settings: Settings, store: Store, inspector: Inspector, day: str) -> dict[str, str | None]:
    """Inspect a night of samples and one torn file; the defect each source really has."""
    from anomalyos.inspection.delivery_check import check_shards
    from anomalyos.inspection.nightly import discover, inspect_shard, summarise
    from anomalyos.products.sample.night import night_plan, write_night

    inbox = settings.inbox_dir / day
    write_night(inbox, day, categories=PRODUCTS)
    (inbox / PRODUCTS[0] / "cam2_torn.png").write_bytes(b"\x89PNG torn")
    shards = discover(settings, store, day)
    check_shards(settings, store, shards)
    for shard in shards:
        inspect_shard(shard, settings, store, inspector=inspector)
    summarise(settings, store, day)
    plan = night_plan(inbox, day, PRODUCTS)
    return {f"{day}/{task.path.relative_to(inbox).as_posix()}": task.defect for task in plan}


def _review(store: Store, night: str, truth: dict[str, str | None], rng: Random) -> None:
    with store.session(read_only=True) as session:
        rows = list(inspections.queue(session, batch_key=night, limit=500))
    for row in rows:
        defect = truth.get(row.source)
        people = ("mia", "sam") if rng.random() < 0.3 else (rng.choice(("mia", "sam")),)
        for version, who in enumerate(people):
            alarm = rng.choice(("false_alarm", "false_alarm", "unsure"))
            with store.session() as session:
                reviews.decide(
                    session,
                    inspection_id=row.id or 0,
                    decision="defect" if defect else alarm,
                    actor=who,
                    expected_version=version,
                    defect_type=defect or "",
                    note=rng.choice(NOTES),
                )


def _work_of_people(store: Store) -> None:
    """An edit in the knowledge graph, a case with its cause, and a token: pages that else would be empty."""
    from anomalyos.accounts import tokens
    from anomalyos.cases import repository as case_repository
    from anomalyos.db.rows import stored_id
    from anomalyos.knowledge import edits, grammar
    from anomalyos.knowledge import repository as knowledge_repository

    defect = grammar.defect_key("sample_zipper", "torn_fabric")
    with store.session() as session:
        erik = users.by_name(session, "erik")
        tokens.create(
            session,
            user_id=stored_id(erik.id),
            name="Camera of line 2",
            scopes=["inspect", "read"],
            expires_in_days=90,
            actor="erik",
        )
        known = [
            case
            for case in case_repository.list_cases(session, category="sample_zipper")
            if case.defect_type == "torn_fabric"
        ]
        edits.confirm_cause(session, stored_id(known[0].id), "cause:snagging", actor="erik", note="")
        node = knowledge_repository.get(session, knowledge_repository.node_subject(defect))
        edits.edit_node(
            session,
            defect,
            expected_version=node.version,
            actor="erik",
            text="The fabric of the tape is torn, mostly beside the teeth.",
            reason="Seen on line 2 in the last three weeks.",
        )


def pages(store: Store) -> dict[str, str]:
    """Name of the picture and address of every page."""
    with store.session(read_only=True) as session:
        flagged = select(Inspection.id).where(Inspection.verdict == Verdict.ANOMALOUS)
        item = session.exec(
            flagged.where(col(Inspection.decision).is_not(None)).order_by(col(Inspection.id).desc()).limit(1)
        ).one()
        case = session.exec(select(DefectCase).order_by(col(DefectCase.id).desc()).limit(1)).one()
    defect = f"defect:{case.category}/{case.defect_type}"
    return {
        "queue": "/",
        "inspection": f"/inspection/{item}",
        "rejected": "/rejected",
        "checks": "/checks",
        "checks-training": "/checks/learning",
        "live": "/live",
        "nights": "/nights",
        "forensics": "/forensics",
        "forensics-part": f"/forensics/{item}",
        "analytics": "/analytics",
        "analytics-drift": "/analytics#drift",
        "analytics-drift-product": "/analytics?category=sample_pill#drift",
        "arena": "/arena",
        "knowledge": "/knowledge",
        "knowledge-search": "/knowledge?q=why+are+the+teeth+bent",
        "knowledge-defect": f"/knowledge/node/{defect}",
        "knowledge-case": f"/knowledge/case/{case.id}",
        "knowledge-map": f"/knowledge/graph?focus={defect}",
        "knowledge-changes": "/knowledge/changes",
        "knowledge-exchange": "/knowledge/exchange",
        "admin-models": "/admin/models",
        "admin-retraining": "/admin/retraining?product=sample_zipper",
        "admin-people": "/admin/people",
        "admin-tokens": "/admin/tokens",
        "admin-audit": "/admin/audit",
        "tokens": "/tokens",
        "not-found": "/nowhere",
    }


def take(browser: Browser, store: Store) -> None:
    for theme in ("light", "dark"):
        # any page of the console will do; of the second round it is one that somebody is signed in to
        browser.open("/login")
        browser.script("localStorage.setItem('aos-theme', arguments[0])", theme)
        browser.driver.delete_all_cookies()
        browser.open("/login")
        browser.find("#login-name")
        save(browser, f"login-{theme}")
        sign_in(browser, "ada")
        for name, path in pages(store).items():
            show(browser, path)
            if name == "forensics-part" and theme == "light":
                explain_everything(browser)
            save(browser, f"{name}-{theme}")
        browser.resize(*TABLET)
        show(browser, "/")
        save(browser, f"queue-tablet-{theme}")
        browser.resize(*DESK)


def show(browser: Browser, path: str) -> None:
    browser.open(path)
    browser.find(".aos-rail")
    browser.loaded()
    browser.settled(1.2)
    browser.loaded()


def explain_everything(browser: Browser) -> None:
    """What is computed once is kept: the dark picture finds it ready."""
    button = browser.driver.find_element(
        By.XPATH, "//button[.//span[normalize-space()='Explain everything']]"
    )
    button.click()
    browser.find(".aos-waterfall")
    browser.settled(1.2)
    browser.loaded()


def save(browser: Browser, name: str) -> None:
    """WebP: a tenth of the size of a PNG where photographs are in the picture."""
    path = GALLERY / f"{name}.webp"
    with Image.open(io.BytesIO(browser.driver.get_screenshot_as_png())) as shot:
        shot.convert("RGB").save(path, quality=QUALITY, method=6)
    sys.stderr.write(f"{path.name}: {path.stat().st_size // 1000} kB\n")


def photograph(home: Path) -> None:
    base = f"http://localhost:{free_port()}"
    store = Store(Settings(home=home, database_url="", _env_file=None))
    with (
        (home / "console.log").open("w") as log,
        tempfile.TemporaryDirectory(prefix="aos-gallery-") as profile,
    ):
        process = subprocess.Popen(
            [sys.executable, "-m", "console.main"],
            cwd=PROJECT_ROOT,
            env=console_environment(home, base),
            stdout=log,
            stderr=log,
        )
        try:
            wait_until_healthy(base, process)
            browser = Browser(Path(profile), base)
            try:
                take(browser, store)
            finally:
                browser.driver.quit()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            store.close()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.gallery", description=__doc__)
    parser.add_argument("--home", type=Path, default=HOME, help="where the pictures' data lie")
    home: Path = parser.parse_args(arguments).home
    if needs_browser.args[0]:
        sys.stderr.write(f"No gallery: {needs_browser.kwargs['reason']}\n")
        return 2
    if home == HOME and not (home / "ready").is_file():
        # half prepared is not prepared
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        prepare(home)
        (home / "ready").write_text(datetime.now(UTC).isoformat(), encoding="utf-8")
    GALLERY.mkdir(parents=True, exist_ok=True)
    photograph(home)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
