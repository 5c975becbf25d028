"""Cells of documents as values; each fault is noted with its place."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from crm.services.dataset import files
from masterdata.services.imports import BadRow, Row, Table
from masterdata.services.imports.columns import NUMBER

_LARGEST = Decimal(10) ** 10
_PLACES = Decimal("0.0001")


class Cells:
    """One row being read; ``faults`` holds what was wrong."""

    def __init__(self, table: Table, row: Row) -> None:
        self.table, self.row = table, row
        self.faults: list[BadRow] = [table.bad(row, *problem) for problem in row.problems]

    def text(self, column: str, longest: int, *, required: bool = True) -> str:
        value = self.row.cells.get(column, "")
        if required and not value:
            self._fault(column, _("The value is missing."))
        elif len(value) > longest:
            self._fault(column, _("At most %(longest)s characters fit.") % {"longest": longest})
        return value

    def number(self, column: str, *, positive: bool = False) -> Decimal:
        text = self.row.cells.get(column, "")
        value = Decimal(text) if NUMBER.match(text) and len(text) < 30 else None
        if value is None or value >= _LARGEST or value != value.quantize(_PLACES):
            sentence = _("“%(text)s” is not a number with at most ten digits and four decimals.")
            self._fault(column, sentence % {"text": text[:40]})
            return Decimal(0)
        if value < 0 or (positive and value == 0):
            self._fault(column, _("The number must be above 0."))
        return value

    def integer(self, column: str) -> int:
        value = self.number(column)
        if value != int(value) or value > 2_000_000_000:
            self._fault(column, _("The value is not a whole number that fits."))
        return int(value)

    def day(self, column: str) -> date:
        text = self.row.cells.get(column, "")
        found = files.to_date(text)
        if found is None:
            sentence = _("“%(text)s” is not a date; write it like 2025-12-31.")
            self._fault(column, sentence % {"text": text[:40]})
        return found or date.min

    def known(self, column: str, ids: dict[str, int], kind: str) -> int:
        """The id behind a code."""
        code = self.row.cells.get(column, "")
        if code not in ids:
            sentence = _("There is no %(kind)s with the code “%(code)s”.")
            self._fault(column, sentence % {"kind": kind, "code": code[:60]})
        return ids.get(code, 0)

    def same(self, column: str, value: object, expected: object, line: int) -> None:
        """Note a fault where a document's head differs from that of its first line."""
        if value != expected:
            sentence = _("The same document says otherwise in line %(line)s.")
            self._fault(column, sentence % {"line": line})

    def _fault(self, column: str, reason: str) -> None:
        self.faults.append(self.table.bad(self.row, column, reason))
