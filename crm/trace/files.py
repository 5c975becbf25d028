"""The lists of an impact as files: CSV and XLSX, a line per unit, then a line per lot."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

import openpyxl  # type: ignore[import-untyped]
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # type: ignore[import-untyped]

from crm.enums_trace import WHEREABOUTS
from crm.trace import impact
from masterdata.services.imports.export import escape
from traceability import selectors as ledger
from traceability.enums import IdentityState


def head() -> list[str]:
    """The columns, in the reader's language."""
    return [
        _("List"),
        _("Kind"),
        _("Number"),
        _("Item"),
        _("State"),
        _("Certainty"),
        _("Customer"),
        _("Document"),
        _("Order"),
        _("Date"),
        _("Built into"),
        _("Made on"),
    ]


def lines(start: ledger.Start) -> Iterator[list[str]]:
    """Every unit of every list, then every lot; what a spreadsheet takes for a formula is text."""
    for where, row in impact.export_rows(start):
        paper = row.document
        customer = paper.customer if paper else None
        yield _escaped(
            str(where.label),
            _("Serial number"),
            row.unit.number,
            row.item.code,
            str(row.unit.state.label),
            _certainty(row.unit.is_confirmed),
            customer.label if customer else "",
            paper.number if paper else "",
            paper.order_number if paper else "",
            _sortable(paper.at) if paper else "",
            row.host,
            _sortable(row.unit.made_at),
        )
    for lot in impact.lot_rows(start):
        state = IdentityState(lot.lot.state)
        yield _escaped(
            str(WHEREABOUTS[state].label),
            _("Lot"),
            lot.lot.number,
            lot.lot.item.code,
            str(state.label),
            _certainty(lot.is_confirmed),
            ", ".join(lot.customers),
            "",
            "",
            "",
            "",
            _sortable(lot.lot.made_at),
        )


def as_csv(start: ledger.Start) -> bytes:
    """UTF-8 with a byte order mark, which Excel needs for Chinese."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(head())
    writer.writerows(lines(start))
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def as_xlsx(start: ledger.Start) -> bytes:
    """A workbook of text cells: numbers such as 007 keep their zeros."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Impact")
    sheet.append(head())
    for line in lines(start):
        sheet.append(line)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _certainty(is_confirmed: bool) -> str:
    return _("confirmed") if is_confirmed else _("possible")


def _escaped(*values: str) -> list[str]:
    """Disarmed, and without control characters, which no workbook holds."""
    return [escape(ILLEGAL_CHARACTERS_RE.sub("", value)) for value in values]


def _sortable(at: datetime) -> str:
    return localtime(at).strftime("%Y-%m-%d %H:%M")
