"""A workbook that a general reader opens and finds in it what was written."""

import io

import openpyxl  # type: ignore[import-untyped]
import pytest

from common import workbook


def read(content: bytes) -> list[list[list[str]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [
        [
            ["" if cell is None else cell for cell in row]
            for row in sheet.iter_rows(values_only=True)
        ]
        for sheet in book.worksheets
    ]


def test_cells_are_read_as_they_were_written() -> None:
    lines = [
        ["Nummer", "零件 <&> \"'"],
        ["007", "  spaces kept  "],
        ["", "two\nlines, a return\r, a tab\t"],
        ["=1+1", "2026-11-23 01:40"],
    ]
    assert read(workbook.text_cells("Impact", lines)) == [lines]
    book = openpyxl.load_workbook(io.BytesIO(workbook.text_cells("A & B", lines)))
    assert book.sheetnames == ["A & B"]
    assert {cell.data_type for row in book.active.iter_rows() for cell in row} <= {"s", "n"}


def test_what_no_workbook_holds_is_left_out_and_what_is_too_long_cut() -> None:
    [[row]] = read(workbook.text_cells("x", [["a\x00\x1b\ud800\uffffb", "y" * 40_000]]))
    assert (row[0], len(row[1])) == ("ab", workbook.MOST_CHARACTERS)


@pytest.mark.parametrize(
    ("rows", "sheets"), [(0, [0]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])]
)
def test_rows_beyond_a_sheet_go_on_in_the_next(monkeypatch, rows, sheets) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    monkeypatch.setattr(workbook, "_AT_ONCE", 2)
    lines = [[f"N{number}", "x"] for number in range(rows)]
    told = read(workbook.text_cells("List", lines))
    assert [sum(map(any, sheet)) for sheet in told] == sheets
    assert [row for sheet in told for row in sheet if any(row)] == lines
