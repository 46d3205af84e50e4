from __future__ import annotations

import sys

import pytest

from anomalyos.__main__ import main


def test_without_the_platform_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("anomalyos.cli")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "typer", None)
    with pytest.raises(SystemExit, match=r"typer is missing.*anomalyos\[platform"):
        main()
