"""Great Expectations evaluates the clauses over a manifest; importing it takes seconds, so only here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anomalyos.core.errors import AnomalyOSError
from anomalyos.quality.rules import Clause

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.expectations.expectation import Expectation
    from pandas import DataFrame

SEVERITIES = {"stop": "critical", "quarantine": "warning", "warn": "info"}
"""Ours as Great Expectations names them."""
KEY = "file"


@dataclass(frozen=True)
class Answer:
    """What came of one clause."""

    clause: Clause
    passed: bool
    checked: int
    files: tuple[str, ...]
    """Rows that violate it, in the manifest's order; empty for a clause about the number of rows."""


@dataclass(frozen=True)
class Validation:
    answers: list[Answer]
    """In the clauses' order."""
    document: ExpectationSuiteValidationResult
    """As Great Expectations keeps it, for the page."""


def validate(frame: DataFrame, clauses: Sequence[Clause], name: str) -> Validation:
    """Evaluate every clause over the rows of ``frame``, whose column ``file`` names each row once.

    Raises:
        AnomalyOSError: an expectation could not be evaluated; nothing counts as passed then.
    """
    batch = _batch(frame)
    document = batch.validate(
        _suite(clauses, name),
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [KEY]},
    )
    order = {file: place for place, file in enumerate(frame[KEY])}
    answers: dict[int, Answer] = {}
    for result in document.results:
        # results come back in an order of their own
        place = int(result.expectation_config.meta["clause"])
        answers[place] = _answer(clauses[place], result, len(frame), order)
    if len(answers) != len(clauses):
        raise AnomalyOSError("Great Expectations left an expectation out.", "Report this with the suite.")
    return Validation([answers[place] for place in range(len(clauses))], document)


def _batch(frame: DataFrame) -> Any:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("images").add_dataframe_asset("manifest")
    return asset.add_batch_definition_whole_dataframe("all").get_batch(batch_parameters={"dataframe": frame})


def _suite(clauses: Sequence[Clause], name: str) -> Any:
    import great_expectations as gx

    return gx.ExpectationSuite(
        name=name, expectations=[_expectation(clause, place) for place, clause in enumerate(clauses)]
    )


def _expectation(clause: Clause, place: int) -> Expectation:
    # the package's own names are not typed; its modules are
    from great_expectations.expectations.core import (
        expect_column_values_to_be_between as between,
    )
    from great_expectations.expectations.core import (
        expect_column_values_to_be_in_set as among,
    )
    from great_expectations.expectations.core import (
        expect_column_values_to_be_null as null,
    )
    from great_expectations.expectations.core import (
        expect_table_row_count_to_be_between as rows,
    )

    common: dict[str, Any] = {"meta": {"clause": place}, "severity": SEVERITIES[clause.severity]}
    if clause.kind == "rows":
        return rows.ExpectTableRowCountToBeBetween(min_value=int(clause.low or 0), **common)
    common["column"] = clause.column
    if clause.tolerated is not None:
        common["mostly"] = 1 - clause.tolerated
    if clause.kind == "null":
        return null.ExpectColumnValuesToBeNull(**common)
    if clause.kind == "among":
        return among.ExpectColumnValuesToBeInSet(value_set=list(clause.allowed), **common)
    return between.ExpectColumnValuesToBeBetween(min_value=clause.low, max_value=clause.high, **common)


def _answer(clause: Clause, result: Any, rows: int, order: dict[str, int]) -> Answer:
    if result.exception_info and _raised(result.exception_info):
        raise AnomalyOSError(
            f"The expectation '{clause.rule}' could not be evaluated.",
            "Look at include/expectations; the log has the details.",
        )
    found = result.result.get("unexpected_index_list") or []
    files = sorted({str(row[KEY]) for row in found}, key=order.__getitem__)
    missing = result.result.get("missing_count") or 0
    checked = rows if clause.kind in ("null", "rows") else rows - int(missing)
    return Answer(clause, bool(result.success), checked, tuple(files))


def _raised(info: dict[str, Any]) -> bool:
    """Whether evaluation failed: the flag stands at the top, or below the name of each metric."""
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(bool(part.get("raised_exception")) for part in info.values() if isinstance(part, dict))
