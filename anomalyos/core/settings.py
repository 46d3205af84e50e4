"""One typed place for everything that can be configured (environment prefix ``ANOMALYOS_``)."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from anomalyos.core.errors import UnsafeSettings
from anomalyos.core.runtime import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, Device, Embedder, Engine

PACKAGE = Path(__file__).resolve().parents[1]
PROJECT_ROOT = PACKAGE.parent
CHECKOUT = (PROJECT_ROOT / "pyproject.toml").is_file()
"""Whether the code runs where it is developed; an installed wheel has no project around it."""
INCLUDE = PROJECT_ROOT / "include" if CHECKOUT else PACKAGE / "include"
"""Category settings, seeds, suites, rules and prompts, which a wheel carries inside the package."""


class Settings(BaseSettings):
    """Every setting with its default; each is read from ``ANOMALYOS_<NAME>``.

    ``home`` holds all that is written. Paths derived from it are properties, so moving
    ``home`` moves everything.
    """

    model_config = SettingsConfigDict(env_prefix="ANOMALYOS_", env_file=".env", extra="ignore")

    home: Path = PROJECT_ROOT / "var" if CHECKOUT else Path("var")
    include_dir: Path = INCLUDE
    environment: Literal["development", "production"] = "development"
    database_url: str = ""
    """SQLAlchemy URL; empty means SQLite under ``home``."""

    device: Device = "auto"
    threads: int = Field(default=2, ge=1, le=256)
    """CPU threads of torch and FAISS in one process."""
    runtime: Engine = "auto"
    """What computes features: OpenVINO (``auto`` on a CPU), torch, or ONNX Runtime; equal to 1e-4."""
    weights_dir: Path | None = None
    """Folder with weight files of the full profile (see the README)."""
    allow_hub: bool = False
    """Whether missing weights of the full profile may be fetched from a model hub."""

    alpha: float = Field(default=0.05, gt=0, lt=1)
    """Promised share of normal parts that are flagged, unless a category sets its own."""
    recipe: str = "auto"
    """Recipe of a product whose settings name none; ``auto`` chooses at its first rebuild and keeps that."""
    shard_size: int = Field(default=20_000, ge=1)
    """The most images one mapped inspection task works through; measured time makes most of them smaller."""

    embedder: Embedder = "lite"
    """What finds similar cases: embedded EfficientNet-Lite features, or CLIP ViT-B/32 (full profile)."""
    depth_model: str = "shape_from_shading"
    """``shape_from_shading``, ``midas_small`` (full profile), or the folder of a DPT model."""

    groq_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("ANOMALYOS_GROQ_API_KEY", "GROQ_API_KEY")
    )
    """Without it reports come from the template, and no network is touched."""
    groq_base_url: str = "https://api.groq.com"
    groq_model: str = "llama-3.3-70b-versatile"
    report_timeout_s: float = Field(default=20.0, gt=0, le=600)
    """The longest anybody waits for a report, all attempts together; then the template writes it."""
    groq_usd_per_million_prompt_tokens: float | None = Field(default=None, ge=0)
    groq_usd_per_million_completion_tokens: float | None = Field(default=None, ge=0)

    mlflow_tracking_uri: str = Field(
        default="", validation_alias=AliasChoices("ANOMALYOS_MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_URI")
    )
    """Where experiments are kept: a server (DagsHub, with MLflow's own variables for its credentials), or
    SQLite under ``home`` when empty."""
    gate_latency_ms: float = Field(default=2000.0, gt=0)
    """A challenger whose median image takes longer is not promoted."""
    gate_bundle_mb: float = Field(default=200.0, gt=0)
    """A challenger whose bundle is larger is not promoted."""

    artifacts_folder: Path | None = None
    """DVC workspace of published models; ``home/artifacts`` when empty. A git repository may be put there."""
    dvc_remote: str = ""
    """Where published files go: a folder, ``s3://bucket/path``, or ``https://dagshub.com/USER/REPO.dvc``."""
    dvc_remote_endpoint: str = ""
    """Address of an S3 server other than Amazon's."""
    dvc_remote_user: str = ""
    """User of an HTTP remote, or access key of an S3 one."""
    dvc_remote_password: SecretStr | None = None

    webhook_url: SecretStr | None = None
    """Gets a JSON document for each task that failed for good; its address may hold a secret."""

    keep_normal_days: int = Field(default=0, ge=0)
    """Photographs of parts that were found normal and that nobody reviewed are removed after so many days,
    with their maps and explanations; verdict and figures stay. 0 keeps all of them."""
    keep_versions: int = Field(default=5, ge=1)
    """Newest versions a product keeps files of, besides the champion and what a rollback returns to."""
    keep_backups: int = Field(default=14, ge=1)
    """Database backups kept by maintenance."""
    orphan_age_hours: int = Field(default=48, ge=24)
    """Files no row names are removed when older: a running job writes files long before their rows."""

    max_image_bytes: int = Field(default=MAX_IMAGE_BYTES, ge=1024)
    max_image_pixels: int = Field(default=MAX_IMAGE_PIXELS, ge=1024)

    console_host: str = "127.0.0.1"
    console_port: int = Field(default=7860, ge=1, le=65535)
    console_url: str = "http://localhost:7860"
    """Address people reach the console at: links in Airflow point there."""
    airflow_host: str = "127.0.0.1"
    airflow_port: int = Field(default=8080, ge=1, le=65535)
    airflow_url: str = "http://localhost:8080"
    """Address people reach Airflow at; like ``console_url`` it follows its port unless it is set."""
    airflow_user: str = "engineer"
    airflow_password: SecretStr | None = None
    """Whom the console starts runs as. Without a password it takes the one `anomalyos up` made."""
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
    def compiled_dir(self) -> Path:
        """Networks converted for the runtime: made when first needed, and made again when gone."""
        return self.home / "compiled"

    @property
    def surrogates_dir(self) -> Path:
        """Tables the SHAP surrogates grow from: made when first asked for, and made again when gone."""
        return self.home / "surrogates"

    @property
    def drift_dir(self) -> Path:
        """Drift reports to look at: ``drift/CATEGORY/DAY.html``."""
        return self.home / "drift"

    @property
    def inbox_dir(self) -> Path:
        """Where cameras drop a night's images: ``inbox/DATE/[CATEGORY/]*``."""
        return self.home / "inbox"

    def resolved_tracking_uri(self) -> str:
        """The configured MLflow, or SQLite under ``home``."""
        return self.mlflow_tracking_uri or f"sqlite:///{self.home / 'mlflow.db'}"

    @property
    def mlflow_artifacts_dir(self) -> Path:
        """Files of experiments, where MLflow is the SQLite one under ``home``."""
        return self.home / "mlflow"

    @property
    def artifacts_dir(self) -> Path:
        """The DVC workspace."""
        return self.artifacts_folder or self.home / "artifacts"

    @property
    def backups_dir(self) -> Path:
        """Database backups, newest by name."""
        return self.home / "backups"

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
