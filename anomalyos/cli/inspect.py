"""``anomalyos inspect``: images in, verdicts out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from anomalyos.cli.explanation import explained, print_explanation
from anomalyos.cli.output import EXIT_COULD_NOT_RUN, EXIT_REJECTED, answer, print_table, progress_bar
from anomalyos.cli.shared import JsonOption
from anomalyos.core.errors import NotFound
from anomalyos.inspection.inspector import get_inspector, live_batch
from anomalyos.inspection.tables import Inspection
from anomalyos.patchcore.calibration import p_value_in_words

VERDICT_WORDS = {
    "normal": "[green]✓ normal[/]",
    "anomalous": "[bold red]▲ anomalous[/]",
    "unknown_category": "[yellow]? unknown category[/]",
    "rejected": "[dim]✗ rejected[/]",
}


def inspect(
    paths: Annotated[list[Path], typer.Argument(help="Images, or folders of images.")],
    category: Annotated[str | None, typer.Option(help="The product; routed when not given.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say why: similar cases, causes, SHAP, trace and a report.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Inspect images and store the results as today's live batch."""
    files = find_files(paths)
    if not files:
        raise NotFound("There is no file to inspect.", "Name images, or folders that hold some.")
    inspector = get_inspector()
    inspector.store.upgrade()
    batch = live_batch(inspector.store)
    with progress_bar() as bar:
        tracked = bar.track(files, description="inspecting")
        results = [to_json(path, inspect_file(path, category, batch)) for path in tracked]
        if explain:
            results = [explained(row, bar) for row in results]
    answer(as_json, {"batch": batch, "inspections": results}, lambda: print_results(results, explain))
    raise typer.Exit(exit_code(results))


def inspect_file(path: Path, category: str | None, batch: str) -> Inspection:
    inspector = get_inspector()
    with path.open("rb") as file:
        # one byte more than allowed is enough for the decoder to see that it is too large
        data = file.read(inspector.settings.max_image_bytes + 1)
    return inspector.inspect(data, source=f"file:{path.name}", batch_key=batch, category=category)


def find_files(paths: list[Path]) -> list[Path]:
    """The named files, and those directly and deeper inside the named folders, hidden ones left out.

    Raises:
        NotFound: naming the first path that does not exist.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise NotFound(f"{path} does not exist.", "Check the path.")
        if path.is_file():
            files.append(path)
            continue
        inside = (child for child in path.rglob("*") if child.is_file())
        files += sorted(
            child
            for child in inside
            if not any(part.startswith(".") for part in child.relative_to(path).parts)
        )
    return files


def to_json(path: Path, row: Inspection) -> dict[str, Any]:
    """What the CLI says of one inspection."""
    words = None
    if row.p_value is not None and row.calibration_groups is not None:
        words = p_value_in_words(row.p_value, row.calibration_groups)
    return {
        "file": str(path),
        "id": row.id,
        "verdict": row.verdict,
        "category": row.given_category or row.routed_category,
        "routed_category": row.routed_category,
        "routed_similarity": row.routed_similarity,
        "route_mismatch": row.route_mismatch,
        "score": row.score,
        "threshold": row.threshold,
        "alpha": row.alpha,
        "p_value": row.p_value,
        "p_value_in_words": words,
        "model_version_id": row.model_version_id,
        "bundle_sha256": row.bundle_sha256,
        "regions": row.regions,
        "timings_ms": row.timings_ms,
        "reject": {"code": row.reject_code, "reason": row.reject_reason} if row.reject_code else None,
    }


def print_results(results: list[dict[str, Any]], explain: bool) -> None:
    from rich.markup import escape

    shown = []
    for row in results:
        score = "" if row["score"] is None else f"{row['score']:.3f} / {row['threshold']:.3f}"
        words = row["reject"]["reason"] if row["reject"] else row["p_value_in_words"] or ""
        category = (row["category"] or "-") + (" (looks like another)" if row["route_mismatch"] else "")
        name = escape(Path(row["file"]).name)
        shown.append((name, VERDICT_WORDS[row["verdict"]], category, score, escape(words)))
    print_table(("file", "verdict", "category", "score / threshold", "how unusual"), shown)
    for row in results if explain else ():
        print_explanation(row)


def exit_code(results: list[dict[str, Any]]) -> int:
    """0 when all were inspected, 1 when some were rejected, 2 when none could be read."""
    rejected = sum(row["verdict"] == "rejected" for row in results)
    if rejected == len(results):
        return EXIT_COULD_NOT_RUN
    return EXIT_REJECTED if rejected else 0
