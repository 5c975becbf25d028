"""The folder's files as tables with one frame of dates."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from django.utils.translation import gettext as _

from common.errors import Refused
from masterdata.services.imports import BadRow, CannotRead, Row, Table, read

# Every file of the layout with the columns that are read; more columns are no fault.
_COLUMNS = {
    "items.csv": (
        "item_number name supply uom category subcategory standard_cost list_price"
        " safety_stock days_to_manufacture"
    ),
    "bom_lines.csv": "assembly component quantity_per uom valid_from valid_to",
    "work_centers.csv": "work_center name cost_rate_per_hour available_hours_per_week",
    "routing_operations.csv": ("item_number sequence work_center work_center_name hours_per_order"),
    "stock.csv": "item_number location quantity",
    "suppliers.csv": "supplier name active",
    "supplier_prices.csv": (
        "supplier item_number lead_time_days price last_receipt_date min_order_quantity"
        " max_order_quantity"
    ),
    "purchase_order_lines.csv": (
        "purchase_order line supplier order_date due_date item_number quantity unit_price"
        " received rejected"
    ),
    "customers.csv": "customer name",
    "sales_order_lines.csv": (
        "sales_order customer customer_reference order_date requested_date item_number"
        " quantity unit_price"
    ),
}
COLUMNS = {name: columns.split() for name, columns in _COLUMNS.items()}
_DATES = {"valid_from", "valid_to", "last_receipt_date", "order_date", "due_date", "requested_date"}


class MissingFolder(Refused):
    """The folder, or a file of the layout, is not there."""


@dataclass(slots=True)
class Folder:
    """All files, read; ``shift`` was added to every date."""

    tables: dict[str, Table]
    shift: timedelta

    def table(self, name: str) -> Table:
        return self.tables[name]


def load(path: Path, *, start_date: date | None) -> Folder:
    """Read the folder and move its dates. Raises MissingFolder and CannotRead."""
    if not path.is_dir():
        raise MissingFolder(_("There is no folder %(path)s.") % {"path": path})
    if missing := [name for name in COLUMNS if not (path / name).is_file()]:
        raise MissingFolder(
            _("The folder %(path)s lacks %(files)s.") % {"path": path, "files": ", ".join(missing)}
        )
    tables = {name: read(name, (path / name).read_bytes()) for name in COLUMNS}
    for name, table in tables.items():
        if absent := [column for column in COLUMNS[name] if column not in table.columns]:
            raise CannotRead(
                _("%(file)s lacks the column %(columns)s.")
                % {"file": name, "columns": ", ".join(absent)}
            )
    folder = Folder(tables, timedelta(0))
    if start_date is not None:
        _move(folder, start_date)
    return folder


def first_day(table: Table, column: str) -> date | None:
    """The earliest proper date of a column."""
    days = [day for row in table.rows if (day := to_date(row.cells.get(column, "")))]
    return min(days, default=None)


def last_day(table: Table, column: str) -> date | None:
    """The latest proper date of a column."""
    days = [day for row in table.rows if (day := to_date(row.cells.get(column, "")))]
    return max(days, default=None)


def to_date(text: str) -> date | None:
    """The date, None where the text is none; whoever imports the cell says so."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def translate(
    table: Table,
    columns: Mapping[str, str | Callable[[dict[str, str]], str]],
    rows: Iterable[Row] | None = None,
) -> Table:
    """The table with the import's own columns: each a column of the file or made of its cells.

    Places in messages keep the file's name, lines and column names.
    """
    spoken = {own: source for own, source in columns.items() if isinstance(source, str)}
    back = {source: own for own, source in spoken.items()}
    translated = [
        Row(
            row.line,
            {
                own: row.cells.get(source, "") if isinstance(source, str) else source(row.cells)
                for own, source in columns.items()
            },
            [(back.get(column, column), reason) for column, reason in row.problems],
        )
        for row in (table.rows if rows is None else rows)
    ]
    return Table(table.file, list(columns), translated, spoken)


def fault(table: Table, row: Row, column: str, reason: str) -> BadRow:
    return table.bad(row, column, reason)


def _move(folder: Folder, start_date: date) -> None:
    first = first_day(folder.table("sales_order_lines.csv"), "order_date")
    if first is None:
        return
    folder.shift = start_date - first
    for table in folder.tables.values():
        for column in _DATES & set(table.columns):
            for row in table.rows:
                if day := to_date(row.cells.get(column, "")):
                    row.cells[column] = (day + folder.shift).isoformat()
