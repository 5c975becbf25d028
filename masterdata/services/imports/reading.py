"""CSV and XLSX files as tables of text; whatever cannot be read is said in one sentence."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from masterdata.services.imports import xlsx
from masterdata.services.imports.xlsx import CannotRead

MAX_BYTES = 50_000_000
MAX_ROWS = 200_000
MAX_CELL = 5_000
MAX_LINE = 1_000_000
_TICK = 1000
ESCAPED = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class BadRow:
    """One thing wrong with one row; ``column`` is empty where the whole row is meant."""

    file: str
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        place = _("%(file)s, line %(line)s") % {"file": self.file, "line": self.line}
        return (
            f"{place}, {self.column}: {self.reason}" if self.column else f"{place}: {self.reason}"
        )


@dataclass(slots=True)
class Row:
    """The cells of one line as stripped text, by column name, and what was wrong with them."""

    line: int
    cells: dict[str, str]
    problems: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Table:
    """A file that was read."""

    file: str
    columns: list[str]
    rows: list[Row]
    # How the file calls a column where the import knows it by another name.
    spoken: dict[str, str] = field(default_factory=dict)
    # Whether there are more rows than were asked for.
    is_cut: bool = False

    def bad(self, row: Row, column: str, reason: str) -> BadRow:
        return BadRow(self.file, row.line, self.spoken.get(column, column), reason)


def read(
    file: str, content: bytes, *, most: int = MAX_ROWS, tick: Callable[[int], None] | None = None
) -> Table:
    """The table in a CSV or XLSX file, told apart by content. Raises CannotRead.

    More than ``most`` rows: the first ones, and ``is_cut``; more than MAX_ROWS are refused.
    ``tick`` is told the number of rows every thousand.
    """
    if not content.strip():
        raise CannotRead(_("%(file)s is empty.") % {"file": file})
    if len(content) > MAX_BYTES:
        raise CannotRead(
            _("%(file)s is larger than %(limit)s MB; split it.")
            % {"file": file, "limit": MAX_BYTES // 1_000_000}
        )
    excel = is_excel(content)
    if excel:
        lines = xlsx.lines(file, content)
    elif content.startswith(b"\xd0\xcf\x11\xe0"):
        raise CannotRead(
            _("%(file)s is an old Excel file; save it as .xlsx or as CSV.") % {"file": file}
        )
    else:
        lines = _csv_lines(file, _decoded(file, content))
    return _table(file, lines, excel, most, tick or _nobody)


def is_excel(content: bytes) -> bool:
    """Whether the file is an XLSX, by its first bytes."""
    return content.startswith(b"PK\x03\x04")


def _nobody(rows: int) -> None:
    pass


def _decoded(file: str, content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CannotRead(
            _("%(file)s is not UTF-8 text (line %(line)s). Save it as “CSV UTF-8”.")
            % {"file": file, "line": line}
        ) from None
    if "\x00" in text:
        raise CannotRead(
            _("%(file)s is no text file: it holds zero bytes in line %(line)s.")
            % {"file": file, "line": text.count("\n", 0, text.index("\x00")) + 1}
        )
    return text


def _csv_lines(file: str, text: str) -> Iterator[tuple[int, list[Any]]]:
    head = text.lstrip("\r\n").splitlines()[0] if text.strip() else ""
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(_bounded(io.StringIO(text, newline="")), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, list(cells)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise CannotRead(
            _("%(file)s is no proper CSV from line %(line)s on (%(error)s).")
            % {"file": file, "line": begins, "error": error}
        ) from None


def _bounded(text: io.StringIO) -> Iterator[str]:
    """The lines; one of a million characters would become millions of cells."""
    for line in text:
        if len(line) > MAX_LINE:
            raise csv.Error(f"line of more than {MAX_LINE} characters")
        yield line


def _table(
    file: str,
    lines: Iterator[tuple[int, list[Any]]],
    excel: bool,
    most: int,
    tick: Callable[[int], None],
) -> Table:
    columns: list[str] = []
    rows: list[Row] = []
    for line, cells in lines:
        if all(str(cell).strip() == "" for cell in cells):
            continue
        if not columns:
            columns = _header(file, cells)
            continue
        if len(rows) >= most < MAX_ROWS:
            return Table(file, columns, rows, is_cut=True)
        rows.append(_row(line, columns, cells, excel))
        if len(rows) % _TICK == 0:
            tick(len(rows))
        if len(rows) > MAX_ROWS:
            raise CannotRead(
                _("%(file)s has more than %(limit)s rows; split it.")
                % {"file": file, "limit": MAX_ROWS}
            )
    if not columns:
        raise CannotRead(_("%(file)s is empty.") % {"file": file})
    return Table(file, columns, rows)


def _header(file: str, cells: Sequence[Any]) -> list[str]:
    names = [str(cell).strip().lower().replace(" ", "_") for cell in cells]
    if len(names) > xlsx.MAX_COLUMNS:
        raise CannotRead(
            _("%(file)s has more than %(limit)s columns in line %(line)s; delete them.")
            % {"file": file, "limit": xlsx.MAX_COLUMNS, "line": 1}
        )
    while names and not names[-1]:
        names.pop()
    for position, name in enumerate(names, start=1):
        if not name or _is_broken(name):
            raise CannotRead(
                _("Column %(position)s of %(file)s has no name in the first row.")
                % {"position": position, "file": file}
            )
        if names.count(name) > 1:
            raise CannotRead(
                _("%(file)s has the column “%(name)s” twice.") % {"file": file, "name": name[:80]}
            )
    return names


def _row(line: int, columns: list[str], cells: list[Any], excel: bool) -> Row:
    cells = cells[: len(columns)] + [c for c in cells[len(columns) :] if str(c).strip()]
    row = Row(line, {})
    if len(cells) > len(columns):
        reason = _("The row has %(cells)s values, the header only %(columns)s.")
        row.problems.append(("", reason % {"cells": len(cells), "columns": len(columns)}))
    elif len(cells) < len(columns):
        reason = _("The row has only %(cells)s values, the header %(columns)s.")
        # Excel leaves out empty cells at the end of a row.
        if not excel:
            row.problems.append(("", reason % {"cells": len(cells), "columns": len(columns)}))
    for column, value in zip(columns, cells, strict=False):
        try:
            row.cells[column] = _text(value)
        except ValueError as error:
            row.cells[column] = ""
            row.problems.append((column, str(error)))
    return row


def _text(value: Any) -> str:
    """The cell as text; raises ValueError with the reason."""
    if isinstance(value, xlsx.Formula):
        raise ValueError(_("The cell holds a formula; put its value there."))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Binary fractions: 0.1 + 0.2 is 0.3 to the one who typed it.
        return format(Decimal(repr(round(value, 9))).normalize(), "f")
    if isinstance(value, datetime):
        at_midnight = value.time() == time(0)
        return value.date().isoformat() if at_midnight else value.isoformat(timespec="minutes")
    if isinstance(value, date | time):
        return value.isoformat()
    text = str(value).strip(" \n\r\t\u00a0")
    if _is_broken(text):
        raise ValueError(_("The cell holds half a character; type it anew."))
    if len(text) > MAX_CELL:
        raise ValueError(_("The cell holds more than %(limit)s characters.") % {"limit": MAX_CELL})
    return _unescaped(text)


def _unescaped(text: str) -> str:
    if text.startswith("="):
        raise ValueError(_("The cell holds a formula; put its value there."))
    if text.startswith("'") and text[1:2] in ESCAPED:
        return text[1:]
    return text


def _is_broken(text: str) -> bool:
    """Whether half of a surrogate pair stands in the text: no file, page or database takes it."""
    return any("\ud800" <= character <= "\udfff" for character in text)
