"""A run of the DAGs that learn, as each of their tasks sees it: what the form asks for, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anomalyos.classifier.dataset import NotEnoughDefects
from anomalyos.classifier.train import train_classifier
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.learning.case_base import refresh_case_base
from anomalyos.learning.options import RebuildOptions, RetrainingOptions
from anomalyos.learning.rebuild import rebuild_category
from anomalyos.products.selection import choose_categories
from anomalyos.quality.data_check import check_category, require_learnable

DAG_ID = "retrain"
ACTOR = "airflow"


@dataclass(frozen=True)
class LearningRun:
    """What a run was asked, and what it works on."""

    settings: Settings
    store: Store
    options: RebuildOptions
    run_id: str = ""
    drifts: Sequence[Mapping[str, Any]] = ()
    """What drift found, when drift started the run."""

    def discover(self) -> list[str]:
        """The categories that drifted when drift started the run, else those asked for, else all.

        Raises:
            NotFound: naming every category that does not exist.
        """
        drifted = {str(drift["category"]) for drift in self.drifts}
        return choose_categories(self.settings, drifted or self.options.categories)

    def check(self, category: str) -> str:
        """Hold the category's images against its suite, and hand it on.

        Raises:
            DataStopped: the suite says that nothing may be learned from them.
        """
        require_learnable(check_category(category, self.settings, self.store))
        return category

    def challenge(self, category: str) -> dict[str, Any]:
        """Build a version, let the gate judge it, and record both in MLflow.

        Returns:
            As ``rebuild_category``, without replicates and scores: small enough to hand from task to task.
        """
        settings, store, options = self.settings, self.store, self.options
        result = rebuild_category(
            category, settings, store, options, run_id=self.run_id, actor=ACTOR, tracked=True
        )
        metrics = result.get("metrics") or {}
        kept = ("image_auroc", "aupro", "test_hash", "data_hash")
        return {**result, "metrics": {name: metrics.get(name) for name in kept}}

    def index_cases(self, names: Sequence[str]) -> dict[str, Any]:
        """Labelled and confirmed defects into the case index, as ``refresh_case_base``; not in a dry run."""
        return {} if self.options.dry_run else refresh_case_base(names, self.settings, self.store)

    def to_name(self, names: Iterable[str]) -> list[str]:
        """The categories whose classifier is to be trained."""
        options = self.options
        wanted = isinstance(options, RetrainingOptions) and options.fine_tune and not options.dry_run
        return list(names) if wanted else []

    def name_defects(self, category: str) -> dict[str, Any]:
        """Train the classifier that names the category's defects; too few of them are no failure.

        Returns:
            JSON-able: ``category``, and ``version``, ``created``, ``promoted``, ``reason``; or ``too_few``,
            in words.

        Raises:
            AnomalyOSError: as ``train_classifier``.
        """
        assert isinstance(self.options, RetrainingOptions)
        settings, trials = self.settings, self.options.trials
        try:
            found = train_classifier(
                category, settings, self.store, trials=trials, run_id=self.run_id, actor=ACTOR
            )
        except NotEnoughDefects as error:
            return {"category": category, "too_few": str(error)}
        return {name: found[name] for name in ("category", "version", "created", "promoted", "reason")}
