"""The table of commands says of each what its module says."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from anomalyos.cli import COMMANDS, app, load


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_a_command_is_its_own_help(name: str) -> None:
    assert load(name).get_short_help_str(limit=500) == COMMANDS[name].help


def test_a_misspelt_command_is_refused_with_the_nearest() -> None:
    result = CliRunner().invoke(app, ["rebild"])
    assert result.exit_code == 2
    assert "rebuild" in result.output


def test_help_imports_no_command() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from anomalyos.cli import app;"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0;"
        "print(sorted(name for name in ('numpy', 'sqlmodel', 'torch', 'nicegui') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
