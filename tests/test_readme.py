"""The README and the guides say what is so: figures, commands and links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from anomalyos.cli import COMMANDS, load
from anomalyos.core.settings import PROJECT_ROOT, Settings
from tests.benchmarks import measurements
from tests.benchmarks.measurements import BEGIN, END, MEASUREMENTS, README, fill, measured_with, read_records

GUIDES = sorted([README, PROJECT_ROOT / "CONTRIBUTING.md", *(PROJECT_ROOT / "docs").glob("*.md")])
TEMPLATES = ("measurements.md.j2", "readme.md.j2")
CITED = {"0.979"}
"""Figures that others published."""


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix()


def test_the_measured_tables_are_what_the_records_say() -> None:
    assert MEASUREMENTS.read_text(encoding="utf-8") == fill("measurements.md.j2", read_records()), (
        "run `make measurements`"
    )


def test_the_readmes_figures_are_what_the_records_say() -> None:
    _, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    assert rest.partition(END)[0] == fill("readme.md.j2", read_records()), "run `make measurements`"


def test_the_readme_has_no_measured_figure_outside_the_ones_that_are_compared() -> None:
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    words = before + rest.partition(END)[2]
    words = re.sub(r"```.*?```", "", words, flags=re.DOTALL)
    assert not re.findall(r"\d+\.\d+ (?!or newer|\w*\]\(LICENSE)|\d+ ?(?:ms|s|minutes|MB|%)\b", words)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_holds_no_figure_of_its_own(template: str) -> None:
    text = (Path(measurements.__file__).parent / template).read_text(encoding="utf-8")
    words = re.sub(r"\{[{%].*?[%}]\}", "", text, flags=re.DOTALL).replace("127.0.0.1", "")
    # what was asked for is no measurement: an alpha, a share of flags, a tolerance
    found = set(re.findall(r"(?<!alpha = )\b\d+\.\d+\b", words))
    assert found <= CITED


def test_every_record_has_its_tables() -> None:
    text = MEASUREMENTS.read_text(encoding="utf-8")
    for name, record in read_records().items():
        assert f"`{record['command']}` writes [{name}.json]" in text


def test_what_an_old_record_lacks_is_said() -> None:
    record: dict[str, Any] = {"machine": {"processor": "any", "cores": 2}}
    assert set(measured_with(record).values()) == {"not recorded"}
    record["commit"] = {"id": "0123456789abcdef", "changed": True}
    record["machine"] |= {"threads": {"setting": 2, "torch": 1}, "load": {"before": 0.5, "after": 2.0}}
    assert measured_with(record) == {
        "commit": "0123456 and changes",
        "threads": "setting 2, torch 1",
        "load": "0.5 before, 2.0 after",
    }


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_links_lead_somewhere(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("http"):
            continue
        path, _, heading = target.partition("#")
        file = (guide.parent / path).resolve() if path else guide
        assert file.exists(), f"{name_of(guide)} names {target}"
        if heading:
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert heading in anchors, f"{name_of(guide)} names {target}"


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_commands_exist_with_their_options(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", text)
    for line in lines:
        words = line.partition("  #")[0].split()
        if len(words) < 2 or not words[0].endswith("anomalyos") or words[1].startswith("-"):
            continue
        assert words[1] in COMMANDS, f"{name_of(guide)}: {line}"
        command, rest = load(words[1]), words[2:]
        while rest and hasattr(command, "commands"):
            assert rest[0] in command.commands, f"{name_of(guide)}: {line}"
            command, rest = command.commands[rest[0]], rest[1:]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known, f"{name_of(guide)}: {line}"


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_make_targets_and_settings_exist(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:^|`)make ([a-z][a-z-]*)", text, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), f"{name_of(guide)}: make {target}"
    for name in re.findall(r"ANOMALYOS_([A-Z_]+)", text):
        assert name.lower() in Settings.model_fields, f"{name_of(guide)}: ANOMALYOS_{name}"
