"""The lists of an impact as files: CSV and XLSX, a line per unit, then a line per lot."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime, tzinfo
from functools import cache

from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext as _

from common import workbook
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
    zone = get_current_timezone()
    yield from _units(start, zone)
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
            _sortable(lot.lot.made_at, zone),
        )


def _units(start: ledger.Start, zone: tzinfo) -> Iterator[list[str]]:
    """A line per unit. Tens of thousands share few items, states and papers: told once each."""
    kind = _safe(_("Serial number"))

    @cache
    def place(state: IdentityState) -> tuple[str, str]:
        return _safe(str(WHEREABOUTS[state].label)), _safe(str(state.label))

    certainties = {sure: _safe(_certainty(sure)) for sure in (True, False)}
    papers: dict[int | None, list[str]] = {None: ["", "", "", ""]}
    items: dict[int, str] = {}
    for row in impact.export_rows(start):
        unit, paper = row.unit, row.document
        where, state = place(unit.state)
        paper_id = paper.pk if paper else None
        if paper is not None and paper_id not in papers:
            customer = paper.customer.label if paper.customer else ""
            papers[paper_id] = _escaped(
                customer, paper.number, paper.order_number, _sortable(paper.at, zone)
            )
        if unit.item_id not in items:
            items[unit.item_id] = _safe(row.item.code)
        yield [
            where,
            kind,
            _safe(unit.number),
            items[unit.item_id],
            state,
            certainties[unit.is_confirmed],
            *papers[paper_id],
            _safe(row.host),
            _sortable(unit.made_at, zone),
        ]


def as_csv(start: ledger.Start) -> bytes:
    """UTF-8 with a byte order mark, which Excel needs for Chinese."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(head())
    writer.writerows(lines(start))
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def as_xlsx(start: ledger.Start) -> bytes:
    """A workbook of text cells: numbers such as 007 keep their zeros."""

    def whole() -> Iterator[list[str]]:
        yield head()
        yield from lines(start)

    return workbook.text_cells("Impact", whole())


def _certainty(is_confirmed: bool) -> str:
    return _("confirmed") if is_confirmed else _("possible")


def _escaped(*values: str) -> list[str]:
    return [_safe(value) for value in values]


def _safe(value: str) -> str:
    """Without control characters, which no workbook holds; then disarmed."""
    return escape(workbook.printable(value))


def _sortable(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).isoformat(" ", "minutes")[:16]
