"""What ``anomalyos inspect --explain`` adds to a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anomalyos.cli.output import print_table, stdout_console
from anomalyos.cli.report import report_json, report_with_progress
from anomalyos.reports.content import SECTIONS, TITLES, ReportContent
from anomalyos.reports.writer import as_line

if TYPE_CHECKING:
    from rich.progress import Progress

BAR = 24
"""Characters of the longest SHAP bar."""


def explained(row: dict[str, Any], bar: Progress) -> dict[str, Any]:
    """``row`` with ``explanation`` and ``report``, which are kept in the store as well."""
    reported = report_with_progress(row["id"], bar)
    evidence = reported.evidence.model_dump(mode="json", exclude={"inspection", "regions"})
    return {**row, "explanation": evidence, "report": report_json(reported)}


def print_explanation(row: dict[str, Any]) -> None:
    """One inspection's explanation for people, most telling first."""
    from pathlib import Path

    terminal = stdout_console()
    found = row["explanation"]
    terminal.rule(Path(row["file"]).name, align="left")
    _print_similar(found["similar"])
    _print_causes(found["causes"])
    _print_shap(found["shap"])
    for part, reason in found["missing"].items():
        terminal.print(f"No {part}: {reason}", style="dim", markup=False, highlight=False)
    content = ReportContent.model_validate(row["report"]["content"])
    for section in SECTIONS:
        statements = content.section(section)
        if statements:
            terminal.print(TITLES[section], style="bold")
        for statement in statements:
            terminal.print(as_line(statement), markup=False, highlight=False)
    terminal.print(f"The whole of it as a file: anomalyos report {row['id']} --html report.html")


def _print_similar(cases: list[dict[str, Any]]) -> None:
    shown = []
    for case in cases:
        name = f"{case['category']} {case['defect_type']}" + (" (synthetic)" if case["synthetic"] else "")
        shown.append((str(case["case_id"]), name, f"{case['similarity']:.3f}", case["source"]))
    if shown:
        print_table(("similar case", "defect", "similarity", "from"), shown)


def _print_causes(causes: list[dict[str, Any]]) -> None:
    shown = [
        (
            cause["name"],
            f"{cause['probability']:.0%}",
            f"{cause['low']:.0%}–{cause['high']:.0%}",
            f"{cause['confirmed']} of {cause['confirmed_all']}",
            " → ".join(step["name"] for step in cause["path"]),
        )
        for cause in causes
    ]
    if shown:
        print_table(("likely cause", "probability", "90 %", "cases", "because"), shown)


def _print_shap(shap: dict[str, Any] | None) -> None:
    if shap is None:
        return
    largest = max(abs(value["contribution"]) for value in shap["values"]) or 1.0
    caption = (
        f"base {shap['base']:.2f} + contributions = {shap['output']:.2f}; the real score is "
        f"{shap['score']:.2f} (surrogate on unseen parts: R² {shap['fidelity']['r2']:.2f})"
    )
    shown = []
    for value in shap["values"]:
        colour = "red" if value["contribution"] >= 0 else "blue"
        length = round(BAR * abs(value["contribution"]) / largest)
        numbers = (f"{value['value']:.2f} {value['unit']}", f"{value['typical']:.2f}")
        moved = (f"{value['contribution']:+.2f}", f"[{colour}]{'█' * length}[/]")
        shown.append((value["label"], *numbers, *moved))
    print_table(("what moves the score", "value", "typical", "by", ""), shown, caption=caption)
