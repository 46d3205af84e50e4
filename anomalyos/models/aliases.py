"""MLflow's registered models: their aliases say what the database's pointer says.

The pointer is the truth. Whatever moves it calls ``follow_pointer`` or, where MLflow's import would be in the
way, ``follow_soon``; a process that was killed between the two is made good by the next call.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from anomalyos.core.settings import Settings, get_settings
from anomalyos.db.engine import Store, open_store
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import ModelVersion
from anomalyos.models.tracking import KEY, NUMBER, TrackingUnreachable, reachable, tracking_client

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion as Registered

CHAMPION, CHALLENGER = "champion", "challenger"


def model_name(category: str) -> str:
    return f"patchcore.{category}"


def register(settings: Settings, category: str, version: ModelVersion, run_id: str) -> str:
    """MLflow's number of a version, registered from the run's ``bundle`` when it is not yet."""
    from mlflow.exceptions import MlflowException

    client, name = tracking_client(settings), model_name(category)
    found = registered(settings, category).get(version.content_key)
    if found is not None:
        return str(found.version)
    try:
        client.create_registered_model(name, description=f"Memory bank of {category}, by PatchCore.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source = f"{client.get_run(run_id).info.artifact_uri}/bundle"
    tags = {KEY: version.content_key, NUMBER: str(version.version)}
    made = client.create_model_version(name, source=source, run_id=run_id, tags=tags)
    return str(made.version)


def registered(settings: Settings, category: str) -> dict[str, Registered]:
    """Registered versions of a category by content key; two of one content count as the older one."""
    client = tracking_client(settings)
    found = client.search_model_versions(f"name = '{model_name(category)}'")
    return {row.tags[KEY]: row for row in sorted(found, key=lambda row: -int(row.version)) if KEY in row.tags}


def follow_pointer(settings: Settings, store: Store, category: str) -> dict[str, str]:
    """Set both aliases as the database has it now.

    The challenger is the newest version that is newer than the champion; without one there is no alias.

    Returns:
        Alias to MLflow's version number. Versions that MLflow never heard of have none.
    """
    with store.session(read_only=True) as session:
        champion = model_versions.champion(session, category)
        newest = next(iter(model_versions.list_versions(session, category, limit=1)), None)
    wanted = {CHAMPION: champion}
    newer = newest is not None and (champion is None or newest.version > champion.version)
    wanted[CHALLENGER] = newest if newer else None
    client, name, known = tracking_client(settings), model_name(category), registered(settings, category)
    if not known:
        return {}
    set_to: dict[str, str] = {}
    for alias, version in wanted.items():
        row = known.get(version.content_key) if version is not None else None
        if row is None:
            client.delete_registered_model_alias(name, alias)
        else:
            client.set_registered_model_alias(name, alias, str(row.version))
            set_to[alias] = str(row.version)
    return set_to


def follow_soon(settings: Settings, category: str) -> None:
    """``follow_pointer`` in a process of its own, not waited for: importing MLflow takes seconds.

    Nothing happens where no MLflow is in use yet.
    """
    if not settings.mlflow_tracking_uri and not (settings.home / "mlflow.db").is_file():
        return
    command = [sys.executable, "-P", "-m", "anomalyos.models.aliases", category]
    environment = os.environ | {
        "ANOMALYOS_HOME": str(settings.home),
        "ANOMALYOS_DATABASE_URL": settings.database_url,
        "ANOMALYOS_MLFLOW_TRACKING_URI": settings.mlflow_tracking_uri,
    }
    # the thread waits for it, so no dead child is left behind
    threading.Thread(
        target=subprocess.run,
        args=(command,),
        kwargs={"check": False, "env": environment},
        name="mlflow-aliases",
        daemon=True,
    ).start()


def main(arguments: list[str]) -> int:
    settings = get_settings()
    try:
        with reachable(settings):
            follow_pointer(settings, open_store(settings), arguments[0])
    except TrackingUnreachable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
