"""What import-linter does not hold: imports stand at the top of files, and no module needs itself.

The floors themselves are contracts in pyproject.toml (``lint-imports``, part of ``make lint``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("anomalyos", "console", "dags", "plugins")

LAZY = {
    "anomalyos/__main__.py": "the command line may be missing, and then says so",
    "anomalyos/__init__.py": "`import anomalyos` must not import torch for whoever only wants a name",
    "anomalyos/explain/gradcam.py": "distance_model.py defines torch modules, so it imports torch at its top",
    "anomalyos/features/backbones.py": "networks.py defines torch modules, too",
    "anomalyos/features/patches.py": "networks.py defines torch modules, too",
    "anomalyos/features/depth/midas.py": "midas_network.py defines torch modules, too",
    "dags/": "Airflow parses DAG files again and again: a task imports what it runs",
    "plugins/": "Airflow imports plugins in each of its processes",
}
"""Where a function may import modules of the project, and why."""


def modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            found[".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")] = path
    return found


def project_imports(tree: ast.AST) -> Iterator[ast.ImportFrom]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES:
            yield node


def targets(node: ast.ImportFrom, known: dict[str, Path]) -> Iterator[str]:
    for alias in node.names:
        full = f"{node.module}.{alias.name}"
        yield full if full in known else str(node.module)


def test_functions_import_modules_of_the_project_only_where_a_reason_stands() -> None:
    unexplained, count = [], 0
    for path in modules().values():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        lazy = {id(node): node for function in functions for node in project_imports(function)}
        count += len(lazy)
        name = path.relative_to(ROOT).as_posix()
        if lazy and not name.startswith(tuple(LAZY)):
            unexplained += [f"{name}:{node.lineno} imports {node.module}" for node in lazy.values()]
    assert unexplained == []
    assert count <= 60


def test_no_module_needs_itself() -> None:
    known = modules()
    graph = {
        name: {
            target
            for node in project_imports(ast.parse(path.read_text(encoding="utf-8")))
            for target in targets(node, known)
            if target != name
        }
        for name, path in known.items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_at_most_45_rooms() -> None:
    rooms = {".".join(name.split(".")[:2]) for name in modules()}
    assert len(rooms - set(PACKAGES)) <= 45
