"""The first sheet of an XLSX file, row by row, within bounds of size, width and time."""

import io
import time
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from openpyxl.reader.excel import ExcelReader  # type: ignore[import-untyped]  # has no types
from openpyxl.utils.exceptions import (  # type: ignore[import-untyped]  # has no types
    InvalidFileException,
)
from openpyxl.worksheet._read_only import (  # type: ignore[import-untyped]  # has no types
    ReadOnlyWorksheet,
)

from common.errors import Refused

# An XLSX is a ZIP; a small one can unpack to far more than anyone's master data.
MAX_UNPACKED_BYTES = 150_000_000
MAX_RATIO = 200
MAX_COLUMNS = 200
# Rows that a sheet skips or leaves blank at one stretch.
MAX_BLANK = 10_000
MAX_SECONDS = 120.0
# What openpyxl and the XML parser below it raise for broken files.
_UNREADABLE = (
    zipfile.BadZipFile,
    InvalidFileException,
    AttributeError,
    KeyError,
    IndexError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
    TypeError,
    OSError,
    SyntaxError,
)


class CannotRead(Refused):
    """The file as a whole is of no use; the sentence says why and what to do."""


class Formula(str):
    """The text of a cell that computes."""

    __slots__ = ()


class _Sheet(ReadOnlyWorksheet):  # type: ignore[misc]  # of a library without types
    def _get_size(self) -> None:
        """What a file says of its size is often wrong; where it says nothing, openpyxl would
        read the whole sheet to find out."""


class _Reader(ExcelReader):  # type: ignore[misc]  # of a library without types
    def read_worksheets(self) -> None:
        for sheet, rel in self.parser.find_sheets():
            if rel.target not in self.valid_files:
                continue
            if "chartsheet" in rel.Type:
                self.read_chartsheet(sheet, rel)
                continue
            self.wb._sheets.append(_Sheet(self.wb, sheet.name, rel.target, self.shared_strings))


def unpacked_bytes(file: str, content: bytes) -> int:
    """How large the file is unpacked. Raises CannotRead where that is too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except _UNREADABLE:
        raise _broken(file) from None
    if size > MAX_UNPACKED_BYTES or size > max(1_000_000, MAX_RATIO * len(content)):
        raise CannotRead(
            _("%(file)s unpacks to %(size)s MB; split it, or save it as CSV.")
            % {"file": file, "size": size // 1_000_000}
        )
    return size


def lines(file: str, content: bytes) -> Iterator[tuple[int, list[Any]]]:
    """Line number and cells of each row. Raises CannotRead, in the middle too."""
    unpacked_bytes(file, content)
    until = time.monotonic() + MAX_SECONDS
    blank = 0
    for number, cells in _rows(file, content):
        if time.monotonic() > until:
            raise CannotRead(
                _("%(file)s takes longer than %(seconds)s seconds to read; save it as CSV.")
                % {"file": file, "seconds": int(MAX_SECONDS)}
            )
        if len(cells) > MAX_COLUMNS:
            raise CannotRead(
                _("%(file)s has more than %(limit)s columns in line %(line)s; delete them.")
                % {"file": file, "limit": MAX_COLUMNS, "line": number}
            )
        values = [_value(cell) for cell in cells]
        blank = 0 if any(value != "" for value in values) else blank + 1
        if blank > MAX_BLANK:
            raise CannotRead(
                _("%(file)s has more than %(limit)s empty rows at a stretch; delete them.")
                % {"file": file, "limit": MAX_BLANK}
            )
        yield number, values


def _rows(file: str, content: bytes) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The rows; whatever the library stumbles over is one sentence."""
    try:
        with warnings.catch_warnings():
            # About styles and extensions, which nobody imports.
            warnings.simplefilter("ignore")
            reader = _Reader(io.BytesIO(content), read_only=True, keep_links=False)
            reader.read()
            rows = iter(reader.wb.worksheets[0].iter_rows())
    except _UNREADABLE:
        raise _broken(file) from None
    number = 0
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except _UNREADABLE:
            raise _broken(file) from None
        number += 1
        yield number, cells


def _value(cell: Any) -> Any:
    value = cell.value
    if cell.data_type == "f":
        return Formula(value)
    return "" if value is None else value


def _broken(file: str) -> CannotRead:
    return CannotRead(_("%(file)s is no Excel file that can be read.") % {"file": file})
