"""``anomalyos console``: a module of its own, because it alone imports NiceGUI."""

from __future__ import annotations

from anomalyos.cli.shared import ready_store
from anomalyos.core.settings import get_settings
from console.main import main


def console() -> None:
    """Start the console alone, in the foreground."""
    get_settings().check_production()
    ready_store()
    main()
