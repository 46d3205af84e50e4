from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.api.v1.csv_export import csv_response
from console.services.csv_table import Cell, safe_cell, stream

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def read_back(header: list[str], rows: list[list[Cell]]) -> list[list[str]]:
    text = b"".join(stream(header, rows)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    "text",
    [
        "=cmd()",
        '=HYPERLINK("http://x")',
        "+1",
        "-1+2",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
        "＠A1",
    ],
)
def test_what_a_spreadsheet_would_run_becomes_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"
    assert read_back(["type"], [[text]])[1] == [f"'{text}"]


@pytest.mark.parametrize("text", ["scratch", "a=b", "it's", "1-2", " =1", "", "Öse, groß", 'say "no"', "a;b"])
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert read_back(["type", "n"], [[text, 1]])[1] == [text, "1"]


@given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), max_size=8))
def test_no_cell_starts_a_formula_and_none_is_lost(rows: list[list[str]]) -> None:
    found = read_back(["a", "b"], [list(row) for row in rows])
    assert len(found) == len(rows) + 1
    for row, read in zip(rows, found[1:], strict=True):
        for text, cell in zip(row, read, strict=True):
            assert not cell.startswith(STARTS)
            plain = text.encode("utf-8", "backslashreplace").decode()
            assert cell in (plain, f"'{plain}")


def test_numbers_times_and_gaps() -> None:
    berlin = timezone(timedelta(hours=1))
    row: list[Cell] = [-0.25, -3, True, False, None, datetime(2026, 11, 24, 7, 30, tzinfo=berlin)]
    assert read_back(list("abcdef"), [row])[1] == [
        "-0.25",
        "-3",
        "yes",
        "no",
        "",
        "2026-11-24T06:30:00+00:00",
    ]


def test_headings_are_made_safe_too() -> None:
    assert read_back(["=evil"], [])[0] == ["'=evil"]


def test_a_long_table_comes_in_pieces_while_its_rows_are_made() -> None:
    made = []

    def rows() -> list[list[Cell]] | object:
        for number in range(1600):
            made.append(number)
            yield [number]

    pieces = stream(["n"], rows())
    first = next(pieces)
    assert len(made) < 1600
    assert first.startswith("\ufeffn\r\n0\r\n".encode())
    rest = list(pieces)
    assert len(rest) >= 2
    assert len((first + b"".join(rest)).decode().splitlines()) == 1601


def test_names_that_are_no_valid_text_do_not_stop_the_export() -> None:
    assert "\\udcff" in b"".join(stream(["source"], [["caf\udcff.png"]])).decode()


def test_the_download_has_a_harmless_name_and_is_kept_by_nobody() -> None:
    answer = csv_response('x"; filename=../evil\r\nSet-Cookie: a', ["a"], [])
    assert (
        answer.headers["content-disposition"] == 'attachment; filename="x-filename-..-evil-Set-Cookie-a.csv"'
    )
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    when = csv_response("...", [], []).headers["content-disposition"]
    assert when == 'attachment; filename="export.csv"'
