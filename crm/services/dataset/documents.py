"""Rows that belong together: the lines of one purchase or sales order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from crm.services.dataset.context import Context
from crm.services.dataset.parse import Cells
from masterdata.services.imports import Outcome, Row, Table

H = TypeVar("H")
L = TypeVar("L")


@dataclass(slots=True)
class Document(Generic[H, L]):
    """A head and its good lines with the row each came from."""

    number: str
    head: H
    lines: list[tuple[Row, L]]


def gather(
    context: Context,
    table: Table,
    *,
    number: str,
    read: Callable[[Cells, dict[str, tuple[H, int]]], tuple[H, L]],
) -> tuple[list[Document[H, L]], int]:
    """Documents by their number, in the file's order, and how many rows were bad.

    ``read`` turns cells into head and line; it gets the heads seen so far, to compare with.
    """
    found: dict[str, Document[H, L]] = {}
    heads: dict[str, tuple[H, int]] = {}
    bad = 0
    for row in table.rows:
        cells = Cells(table, row)
        code = cells.text(number, 20)
        head, line = read(cells, heads)
        if cells.faults:
            context.summary.bad.extend(cells.faults)
            bad += 1
            continue
        heads.setdefault(code, (head, row.line))
        document = found.setdefault(code, Document(code, head, []))
        document.lines.append((row, line))
    return list(found.values()), bad


def outcome(new: int, kept: int, bad: int) -> Outcome:
    return Outcome(new, 0, kept, bad)


def lines_of(documents: list[Document[H, L]]) -> Iterator[L]:
    for document in documents:
        yield from (line for _row, line in document.lines)
