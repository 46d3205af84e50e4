"""Published artifacts under DVC: a folder with a snapshot, its pointer file, and a remote."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.files.locks import held
from anomalyos.core.files.writing import write_text
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.ops.snapshots import rows as snapshot_rows
from anomalyos.ops.snapshots.snapshot import export_snapshot, snapshot_digest
from anomalyos.ops.snapshots.snapshot_import import import_snapshot

SNAPSHOT = "snapshot"
POINTER = f"{SNAPSHOT}.dvc"
REMOTE = "origin"
PATIENCE_S = 3600
"""Longest one DVC command may take; a large case base on a slow line needs it."""


class DvcFailed(AnomalyOSError):
    """DVC said no; its last words are in the message."""


class Artifacts:
    """The DVC workspace of an installation.

    ``settings.artifacts_dir`` holds ``snapshot.dvc`` and ``.dvc/config``, small text files that belong into
    git, and the snapshot itself, which does not. It works without git as well.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = settings.artifacts_dir

    @property
    def snapshot(self) -> Path:
        return self.root / SNAPSHOT

    def push(self, store: Store, progress: Progress | None = None) -> dict[str, Any]:
        """Export, version and upload; unchanged artifacts make no new version.

        Returns:
            ``digest``, ``changed``, ``remote`` and the counts of the export.

        Raises:
            DvcFailed: the remote cannot be reached or refuses.
            BundleError: a champion is damaged.
        """
        with self._alone():
            self._configure()
            before = self._pointer()
            counts = export_snapshot(self.settings, store, self.snapshot, progress)
            self._dvc("add", SNAPSHOT)
            self._dvc("push", "--remote", REMOTE, POINTER)
            return {
                "digest": snapshot_digest(self.snapshot),
                "changed": self._pointer() != before,
                "remote": self.remote_url(),
                **counts,
            }

    def pull(self, store: Store, *, actor: str, progress: Progress | None = None) -> dict[str, Any]:
        """Download what the pointer names and take it in; see :func:`import_snapshot`.

        Raises:
            NotFound: there is no pointer file.
            DvcFailed: the remote cannot be reached or lacks the files.
        """
        with self._alone():
            if not (self.root / POINTER).is_file():
                raise NotFound(
                    f"There is no {POINTER} in {self.root}, so nothing says which artifacts to fetch.",
                    "Clone the repository that holds it there, or set ANOMALYOS_ARTIFACTS_FOLDER to it.",
                )
            self._configure()
            # the snapshot is a copy: whatever was changed in it by hand is not worth keeping
            self._dvc("pull", "--force", "--remote", REMOTE, POINTER)
            return import_snapshot(self.settings, store, self.snapshot, actor=actor, progress=progress)

    def status(self, store: Store) -> dict[str, Any]:
        """``published``, ``remote``, ``pushed`` (the remote has all) and ``taken_in`` (into this home)."""
        if not (self.root / POINTER).is_file():
            return {"published": None, "remote": self.remote_url(), "pushed": False, "taken_in": False}
        with self._alone():
            self._configure()
            answer = json.loads(self._dvc("status", "--cloud", "--remote", REMOTE, "--json") or "{}")
            digest = snapshot_digest(self.snapshot) if self.snapshot.is_dir() else None
            with store.session(read_only=True) as session:
                taken = digest is not None and snapshot_rows.was_imported(session, digest)
            return {"published": digest, "remote": self.remote_url(), "pushed": not answer, "taken_in": taken}

    def remote_url(self) -> str:
        """Where files go: the setting, what a cloned workspace says, or a folder under ``home``."""
        shared = _read_config(self.root / ".dvc" / "config").get(f"'remote \"{REMOTE}\"'", {})
        own = str(self.settings.home / "dvc-remote")
        return self.settings.dvc_remote or shared.get("url") or own

    def _configure(self) -> None:
        """The workspace as the settings want it; the password only where its owner alone reads."""
        self.root.mkdir(parents=True, exist_ok=True)
        if not (self.root / ".dvc").is_dir():
            self._dvc("init", "--no-scm", "--quiet")
        url = self.remote_url()
        self._write(
            ".gitignore",
            f"/{SNAPSHOT}\n/.writing-*\n/push.lock\n/.dvc/cache\n/.dvc/tmp\n/.dvc/config.local\n",
        )
        section = f"'remote \"{REMOTE}\"'"
        shared = {"core": {"no_scm": "True", "analytics": "false", "remote": REMOTE}, section: {"url": url}}
        self._write(".dvc/config", _config_text(shared))
        secret: dict[str, str] = {}
        if self.settings.dvc_remote_endpoint:
            secret["endpointurl"] = self.settings.dvc_remote_endpoint
        password = self.settings.dvc_remote_password
        if self.settings.dvc_remote_user and password is not None:
            names = ("access_key_id", "secret_access_key") if url.startswith("s3:") else ("user", "password")
            secret |= dict(
                zip(names, (self.settings.dvc_remote_user, password.get_secret_value()), strict=True)
            )
            if not url.startswith("s3:"):
                secret["auth"] = "basic"
        if secret:
            self._write(".dvc/config.local", _config_text({section: secret}), mode=0o600)

    def _write(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self.root / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return
        write_text(path, text, mode=mode)

    def _pointer(self) -> bytes | None:
        try:
            return (self.root / POINTER).read_bytes()
        except FileNotFoundError:
            return None

    def _dvc(self, *arguments: str) -> str:
        """stdout of one DVC command; waits for another one that works in the same folder."""
        # --wait-for-lock stands before the subcommand
        command = [sys.executable, "-P", "-m", "dvc", "--cd", str(self.root), "--wait-for-lock", *arguments]
        environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "DVC_NO_UPDATE": "1"}
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise DvcFailed(f"dvc {arguments[0]} took longer than {PATIENCE_S} s.", "Try again.") from error
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            words = " ".join(said)[:600] or done.stderr.strip()[-600:] or f"status {done.returncode}"
            raise DvcFailed(
                f"dvc {arguments[0]} failed: {words}",
                f"Check the remote ({self.remote_url()}) and try again.",
            )
        return done.stdout.strip()

    def _alone(self) -> AbstractContextManager[None]:
        """One push or pull at a time."""
        return held(self.root / "push.lock")


def _read_config(path: Path) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path, encoding="utf-8")
    return {name: dict(parser[name]) for name in parser.sections()}


def _config_text(sections: dict[str, dict[str, str]]) -> str:
    lines: list[str] = []
    for name, values in sections.items():
        lines += [f"[{name}]", *(f"    {key} = {value}" for key, value in values.items())]
    return "\n".join(lines) + "\n"
