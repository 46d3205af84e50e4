"""``anomalyos console``: a module of its own, because it alone imports NiceGUI."""

from __future__ import annotations

import typer

from anomalyos.core.settings import get_settings
from anomalyos.db.engine import open_store
from console.main import main


def register(app: typer.Typer) -> None:
    app.command()(console)


def console() -> None:
    """Start the console alone, in the foreground."""
    settings = get_settings()
    settings.check_production()
    open_store(settings).upgrade()
    main()
