"""Loads the models after the start and after each promotion, so that no inspection is the slow one."""

from __future__ import annotations

import gc
import logging
import threading

from console.services.inspection import InspectionService

log = logging.getLogger(__name__)

LOOK_EVERY = 10.0
"""Seconds between looks for newly promoted champions."""


class WarmUp:
    """State of the models: ``loading``, ``ready``, ``none`` (no champion yet) or why loading failed."""

    def __init__(self, inspections: InspectionService) -> None:
        self._inspections = inspections
        self.state = "loading"
        self.categories: list[str] = []
        self._stopped = threading.Event()

    def start(self) -> None:
        """Load in a daemon thread: a stop never waits for a model."""
        threading.Thread(target=self._follow, name="warm-up", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _follow(self) -> None:
        self._load()
        # everything there is by now stays until the end: a full collection that walks it all again stops
        # every page for up to a second and a half
        gc.collect()
        gc.freeze()
        while not self._stopped.wait(LOOK_EVERY):
            self._load()

    def _load(self) -> None:
        try:
            self.categories = self._inspections.categories()
            if self.categories:
                self._inspections.inspector.warm_up()
            self.state = "ready" if self.categories else "none"
        except Exception as error:
            # whatever a model file can do wrong must not take the queue down with it
            log.exception("The models could not be loaded")
            self.state = f"failed: {error}"

    def refresh(self) -> None:
        """Look for champions promoted since the start; cheap, reads the database."""
        if self.state in {"ready", "none"}:
            self.categories = self._inspections.categories()
            self.state = "ready" if self.categories else "none"
