"""One container of the services, built once from the settings and handed to everyone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection.tables import Inspection
from anomalyos.ops.airflow import AirflowApi
from console.security.sessions import Sessions
from console.services.accounts import AccountService
from console.services.analytics.report import Reports
from console.services.arena import ArenaService
from console.services.arena_pictures import ArenaPictures
from console.services.blocking import InspectionPool
from console.services.checks import CheckService
from console.services.explanation import ExplainerLike, ExplanationService
from console.services.explanation_pictures import ExplanationPictures
from console.services.inspection import InspectionService, InspectorLike
from console.services.knowledge_editor import KnowledgeEditor
from console.services.knowledge_reader import KnowledgeReader
from console.services.knowledge_search import KnowledgeQuestions
from console.services.live_line import LiveLines, Start
from console.services.metrics import Metrics
from console.services.models import ModelService
from console.services.pictures import PictureService
from console.services.queue import QueueService
from console.services.retraining import RetrainingService
from console.services.warm_up import WarmUp


@dataclass(frozen=True)
class Services:
    """What pages, REST and media work with; each service is safe to call from threads."""

    settings: Settings
    store: Store
    sessions: Sessions
    inspections: InspectionService
    queue: QueueService
    pictures: PictureService
    explanations: ExplanationService
    explanation_pictures: ExplanationPictures
    knowledge: KnowledgeReader
    knowledge_editor: KnowledgeEditor
    questions: KnowledgeQuestions
    analytics: Reports
    arena: ArenaService
    arena_pictures: ArenaPictures
    checks: CheckService
    accounts: AccountService
    models: ModelService
    retraining: RetrainingService
    live_lines: LiveLines
    metrics: Metrics
    pool: InspectionPool
    warm_up: WarmUp

    def start(self) -> None:
        """Load models in threads of their own."""
        self.questions.start()
        self.warm_up.start()

    def stop(self) -> None:
        """End every thread; what has not begun is dropped."""
        for end in (
            self.warm_up.stop,
            self.pool.close,
            self.explanations.close,
            self.arena.close,
            self.questions.stop,
        ):
            end()


@dataclass(frozen=True)
class Behind:
    """What the services stand on besides settings and store; tests give something lighter."""

    inspector: Callable[[], InspectorLike]
    explainer: Callable[[], ExplainerLike]
    heatmap: Callable[[Store, Inspection], bytes]
    reviewed: Callable[[int, str], None]
    """Told of every decision and undo: the inspection's id and who it was."""
    start: Start
    airflow: Callable[[], AirflowApi] | None = None


def build(settings: Settings, store: Store, behind: Behind) -> Services:
    """Nothing is loaded, started or asked of the database by that."""
    inspections = InspectionService(settings, store, behind.inspector, behind.reviewed)
    pictures = PictureService(settings, store, behind.heatmap)
    arena = ArenaService(settings, store, behind.inspector)
    metrics, pool = Metrics(store), InspectionPool()
    return Services(
        settings=settings,
        store=store,
        sessions=Sessions(settings, store),
        inspections=inspections,
        queue=QueueService(store),
        pictures=pictures,
        explanations=ExplanationService(store, behind.explainer),
        explanation_pictures=ExplanationPictures(pictures),
        knowledge=KnowledgeReader(store),
        knowledge_editor=KnowledgeEditor(store),
        questions=KnowledgeQuestions(settings, store),
        analytics=Reports(store),
        arena=arena,
        arena_pictures=ArenaPictures(settings, store, arena),
        checks=CheckService(settings, store),
        accounts=AccountService(store),
        models=ModelService(settings, store),
        retraining=RetrainingService(settings, store, behind.airflow),
        live_lines=LiveLines(inspections, metrics, pool, behind.start),
        metrics=metrics,
        pool=pool,
        warm_up=WarmUp(inspections),
    )
