"""The master data as files that import again unchanged; formulas are disarmed."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any

import openpyxl  # type: ignore[import-untyped]
from django.db import models

from masterdata.services.imports.columns import Column
from masterdata.services.imports.reading import ESCAPED
from masterdata.services.imports.resources import Resource

FAULT_COLUMNS = ("file", "line", "column", "reason")


def export_csv(resource: Resource, rows: models.QuerySet[Any] | None = None) -> bytes:
    """All rows, or these, as UTF-8 with a byte order mark, which Excel needs for Chinese."""
    return _csv([column.name for column in resource.all_columns], _lines(resource, rows))


def export_xlsx(resource: Resource, rows: models.QuerySet[Any] | None = None) -> bytes:
    """All rows, or these, as a workbook of text cells: codes such as 007 keep their zeros."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(resource.name)
    sheet.append([column.name for column in resource.all_columns])
    for line in _lines(resource, rows):
        sheet.append(line)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def faults_csv(faults: Iterable[Sequence[object]]) -> bytes:
    """Why rows were not taken: file, line, column ("" for the whole row) and reason of each."""
    return _csv(FAULT_COLUMNS, ([escape(str(value)) for value in fault] for fault in faults))


def template_rows(resource: Resource) -> list[tuple[str, str, bool]]:
    """Name, meaning and need of each column, for the help on the import page."""
    return [
        (column.name, str(column.field.verbose_name), column.required)
        for column in resource.all_columns
    ]


def _csv(head: Sequence[str], lines: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(lines)
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def _lines(resource: Resource, rows: models.QuerySet[Any] | None) -> Iterator[list[str]]:
    paths = [(column, _path(resource, column)) for column in resource.all_columns]
    chosen = resource.model._default_manager.all() if rows is None else rows
    ordered = chosen.order_by(*_order(resource)).values_list(*(path for _column, path in paths))
    for values in ordered.iterator(chunk_size=5000):
        yield [escape(_said(value)) for value in values]


def _path(resource: Resource, column: Column) -> str:
    """The look-up from the row to the column's text."""
    parent = resource.parent
    above = ""
    if parent and column in parent.columns:
        lookup = parent.key.get(column.name, column.field.name)
        above = f"{parent.attribute}__"
        name = lookup.removesuffix("_id")
    else:
        name = column.field.name
    return f"{above}{name}__code" if column.refers_to else f"{above}{name}"


def _order(resource: Resource) -> list[str]:
    parents = resource.parent.columns if resource.parent else ()
    keys = [c for c in parents if resource.parent and c.name in resource.parent.key]
    keys += [c for c in resource.columns if c.attribute in resource.key]
    return [_path(resource, column) for column in keys]


def _said(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    return str(value)


def escape(text: str) -> str:
    """A leading quote disarms what a spreadsheet would take for a formula; import removes it."""
    return f"'{text}" if text.startswith(ESCAPED) else text
