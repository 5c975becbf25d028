"""Cells to values, row by row."""

from typing import Any

from django.utils.translation import gettext as _

from masterdata.services.imports.columns import BadValue, Column
from masterdata.services.imports.parsed import Parsed
from masterdata.services.imports.reading import BadRow, Row, Table
from masterdata.services.imports.resources import Resource
from masterdata.services.imports.xlsx import CannotRead


def parse(resource: Resource, table: Table, bad: list[BadRow]) -> list[Parsed]:
    """The rows whose every cell is what its column holds; the others go to ``bad``.

    Raises CannotRead where a required column is missing or one is unknown.
    """
    check_columns(resource, table)
    parents = _present(resource.parent.columns if resource.parent else (), table)
    own = _present(resource.columns, table)
    rows = []
    for row in table.rows:
        before = len(bad)
        bad.extend(table.bad(row, column, reason) for column, reason in row.problems)
        broken = {column for column, _reason in row.problems}
        parsed = Parsed(row, _values(own, row, table, bad, broken))
        parsed.parent = _values(parents, row, table, bad, broken)
        if len(bad) == before:
            rows.append(parsed)
    return rows


def check_columns(resource: Resource, table: Table) -> None:
    """Raise CannotRead where a required column is missing or one is unknown."""
    known = [column.name for column in resource.all_columns]
    required = [column.name for column in resource.all_columns if column.required]
    if missing := [table.spoken.get(n, n) for n in required if n not in table.columns]:
        raise CannotRead(
            _("%(file)s lacks the column %(columns)s.")
            % {"file": table.file, "columns": ", ".join(missing)}
        )
    if unknown := [name[:80] for name in table.columns if name not in known]:
        raise CannotRead(
            _("%(file)s has the column %(unknown)s, which is none of: %(known)s.")
            % {
                "file": table.file,
                "unknown": ", ".join(unknown),
                "known": ", ".join(known),
            }
        )


def _present(columns: tuple[Column, ...], table: Table) -> list[tuple[Column, bool]]:
    return [(column, column.name in table.columns) for column in columns]


def _values(
    columns: list[tuple[Column, bool]],
    row: Row,
    table: Table,
    bad: list[BadRow],
    broken: set[str],
) -> dict[str, Any]:
    """Values by attribute. A column that the file lacks is left out: it changes nothing."""
    values: dict[str, Any] = {}
    for column, is_present in columns:
        if not is_present or column.name in broken:
            continue
        try:
            values[column.attribute] = column.parse(row.cells.get(column.name, ""))
        except BadValue as error:
            bad.append(table.bad(row, column.name, str(error)))
    return values
