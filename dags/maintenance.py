"""Every day: back up, let go, sweep, vacuum. Wiring only, the work is in ``anomalyos.ops.maintenance``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, Param, dag, get_current_context, task
from dag_parts import task_defaults
from pendulum.tz.local_timezone import get_local_timezone

from anomalyos.core.settings import get_settings
from anomalyos.db.engine import open_store

DOC = """
### Maintenance

1. **backup** copies the database while it is in use, proves that the copy can be read, and keeps the newest
   `ANOMALYOS_KEEP_BACKUPS`. Put one back with `anomalyos restore`.
2. **retention** lets go of what the settings no longer keep: photographs of normal parts nobody reviewed,
   after `ANOMALYOS_KEEP_NORMAL_DAYS` (0: never), and model versions' files beyond `ANOMALYOS_KEEP_VERSIONS`.
   Verdicts, figures and history stay; the champion and what a rollback returns to keep their files.
3. **orphans** sets files and bundles aside that no row names, once they are older than
   `ANOMALYOS_ORPHAN_AGE_HOURS`, and removes them one such age later. A running job writes files before rows,
   which is why they must grow old first.
4. **vacuum** gives freed space back and renews the database's statistics.

Nothing goes without a backup: when *backup* fails, the others do not run. **Dry run** says what would go and
changes nothing. Running it again is safe at any time. The same by hand: `anomalyos maintain --dry-run`.
"""


@dag(
    dag_id="maintenance",
    dag_display_name="Maintenance",
    description="Back up the database, apply retention, sweep files no row names, vacuum.",
    doc_md=DOC,
    schedule=CronTriggerTimetable("30 5 * * *", timezone=get_local_timezone()),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    tags=["upkeep", "daily"],
    params={
        "dry_run": Param(
            False, type="boolean", title="Dry run", description="Say what would go, change nothing."
        )
    },
    default_args=task_defaults(
        "operations",
        retries=2,
        wait=timedelta(minutes=1),
        longest_wait=timedelta(minutes=30),
        pool="upkeep",
        execution_timeout=timedelta(hours=3),
    ),
)
def maintenance() -> None:
    def perform(step: str) -> dict[str, Any]:
        from anomalyos.ops.maintenance.upkeep import run_step

        settings = get_settings()
        dry_run = bool(get_current_context()["params"]["dry_run"])
        return run_step(step, settings, open_store(settings), dry_run=dry_run)

    @task(multiple_outputs=False, doc_md="Copy the database and prove the copy; drop the oldest ones.")
    def backup() -> dict[str, Any]:
        return perform("backup")

    @task(multiple_outputs=False, doc_md="Let go of what the policy in the settings no longer keeps.")
    def retention() -> dict[str, Any]:
        return perform("retention")

    @task(multiple_outputs=False, doc_md="Set aside old files that no row names; remove those set aside.")
    def orphans() -> dict[str, Any]:
        return perform("orphans")

    @task(multiple_outputs=False, doc_md="Give freed space back, renew statistics.")
    def vacuum() -> dict[str, Any]:
        return perform("vacuum")

    backup() >> retention() >> orphans() >> vacuum()


maintenance()
