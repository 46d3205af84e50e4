"""Which products a command or a run works on."""

from __future__ import annotations

from collections.abc import Iterable

from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.products.dataset import list_categories


def choose_categories(settings: Settings, wanted: Iterable[str]) -> list[str]:
    """The wanted categories, sorted and once each; all that have a folder when none is named.

    Raises:
        NotFound: naming every wanted category that does not exist, or when there is none at all.
    """
    there = list_categories(settings)
    if not there:
        raise NotFound(
            f"There is no category in {settings.data_dir}.",
            "Import images with `anomalyos data import FOLDER`.",
        )
    chosen = sorted(set(wanted)) or there
    unknown = [name for name in chosen if name not in there]
    if unknown:
        raise NotFound(f"No such category: {', '.join(unknown)}.", f"There are: {', '.join(there)}.")
    return chosen
