"""One typed place for everything that can be configured (environment prefix ``ANOMALYOS_``)."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from anomalyos.errors import UnsafeSettings

PROJECT_ROOT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    """Every setting with its default; each is read from ``ANOMALYOS_<NAME>``.

    ``home`` holds all that is written. Paths derived from it are properties, so moving
    ``home`` moves everything.
    """

    model_config = SettingsConfigDict(env_prefix="ANOMALYOS_", env_file=".env", extra="ignore")

    home: Path = PROJECT_ROOT / "var"
    include_dir: Path = PROJECT_ROOT / "include"
    environment: Literal["development", "production"] = "development"
    database_url: str = ""
    """SQLAlchemy URL; empty means SQLite under ``home``."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(default=2, ge=1, le=256)
    """CPU threads of torch and FAISS in one process."""
    weights_dir: Path | None = None
    """Folder with weight files of the full profile (see the README)."""
    allow_hub: bool = False
    """Whether missing weights of the full profile may be fetched from a model hub."""

    alpha: float = Field(default=0.05, gt=0, lt=1)
    """Promised share of normal parts that are flagged, unless a category sets its own."""
    recipe: str = "lite"
    shard_size: int = Field(default=64, ge=1)
    """Images one mapped inspection task works through."""

    max_image_bytes: int = Field(default=32 * 2**20, ge=1024)
    max_image_pixels: int = Field(default=64_000_000, ge=1024)

    console_host: str = "127.0.0.1"
    console_port: int = Field(default=7860, ge=1, le=65535)
    console_url: str = "http://localhost:7860"
    """Address people reach the console at: links in Airflow point there."""
    airflow_host: str = "127.0.0.1"
    airflow_port: int = Field(default=8080, ge=1, le=65535)
    airflow_url: str = "http://localhost:8080"
    """Address people reach Airflow at; like ``console_url`` it follows its port unless it is set."""
    session_secret: SecretStr | None = None
    """Signs session cookies; generated under ``home`` in development, required in production."""
    session_hours: int = Field(default=12, ge=1, le=24 * 30)
    https_only: bool = False

    @model_validator(mode="after")
    def _addresses_follow_ports(self) -> Settings:
        if "console_url" not in self.model_fields_set:
            self.console_url = f"http://localhost:{self.console_port}"
        if "airflow_url" not in self.model_fields_set:
            self.airflow_url = f"http://localhost:{self.airflow_port}"
        return self

    @property
    def data_dir(self) -> Path:
        """Root of the categories, in the MVTec AD layout."""
        return self.home / "data"

    @property
    def bundles_dir(self) -> Path:
        """Root of the immutable model versions: ``bundles/CATEGORY/KEY``, named by their inputs."""
        return self.home / "bundles"

    @property
    def objects_dir(self) -> Path:
        """Content-addressed files (inspected images, anomaly maps)."""
        return self.home / "objects"

    @property
    def inbox_dir(self) -> Path:
        """Where cameras drop a night's images: ``inbox/DATE/[CATEGORY/]*``."""
        return self.home / "inbox"

    @property
    def airflow_home(self) -> Path:
        return self.home / "airflow"

    def resolved_database_url(self) -> str:
        """The configured URL, or SQLite under ``home``."""
        return self.database_url or f"sqlite:///{self.home / 'anomalyos.db'}"

    def resolved_session_secret(self) -> str:
        """Secret for session cookies, made once under ``home`` when none is configured.

        Raises:
            UnsafeSettings: in production without a configured secret.
        """
        if self.session_secret is not None:
            return self.session_secret.get_secret_value()
        if self.environment == "production":
            raise UnsafeSettings(
                "ANOMALYOS_SESSION_SECRET is not set.",
                "Production needs one: 32 or more random characters, the same for every console process.",
            )
        return read_or_create_secret(self.home / "secrets" / "session")

    def check_production(self) -> None:
        """Refuse values that are fine on a laptop and dangerous on a network.

        Raises:
            UnsafeSettings: naming every offending variable at once.
        """
        if self.environment != "production":
            return
        wrong: list[str] = []
        if len(self.session_secret.get_secret_value() if self.session_secret else "") < 32:
            wrong.append("ANOMALYOS_SESSION_SECRET must hold at least 32 characters")
        if not self.https_only:
            wrong.append("ANOMALYOS_HTTPS_ONLY must be true, or session cookies travel in the clear")
        if self.resolved_database_url().startswith("sqlite"):
            wrong.append("ANOMALYOS_DATABASE_URL must name a PostgreSQL database")
        if wrong:
            raise UnsafeSettings("These settings are not safe in production.", "; ".join(wrong) + ".")


def read_or_create_secret(path: Path) -> str:
    """Text of ``path``, created with 256 random bits and mode 0600 when absent."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp gives mode 0600; linking the finished file shows it whole or not at all, and of two
        # processes that start at once the second keeps what the first has made
        descriptor, draft = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        Path(draft).unlink()
    return path.read_text(encoding="ascii")


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, read once. Tests call ``get_settings.cache_clear()``."""
    settings = Settings()
    settings.home = settings.home.expanduser().resolve()
    return settings
