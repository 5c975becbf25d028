"""Workbooks (XLSX, ISO/IEC 29500) of text cells, written row by row.

A general library takes seconds for fifty thousand rows of twelve cells, most of them for what is
not asked for here: styles, kinds of cells, shared strings. A list needs text cells only.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

# Of a sheet; what is more goes on in the next one.
MOST_ROWS = 1_048_576
# Of a cell.
MOST_CHARACTERS = 32_767
# XML has no way to write them.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL = re.compile(f"[&<>\r]|{_FORBIDDEN.pattern}")
# Rows that are joined before they are packed.
_AT_ONCE = 1000

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_CELL = '<c t="inlineStr"><is><t xml:space="preserve">'
_CELL_END = "</t></is></c>"


def printable(text: str) -> str:
    """The text without the characters that no workbook can hold."""
    return _FORBIDDEN.sub("", text)


def text_cells(title: str, lines: Iterable[Sequence[str]]) -> bytes:
    """A workbook with these lines in a sheet of that title, or in as many as they need.

    Characters that no workbook can hold are left out, cells that are too long are cut.
    """
    buffer = io.BytesIO()
    sheets = 0
    rows = iter(lines)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        first: Sequence[str] | None = next(rows, ())
        while first is not None:
            sheets += 1
            with package.open(f"xl/worksheets/sheet{sheets}.xml", "w", force_zip64=True) as sheet:
                for some in _sheet(chain([first], islice(rows, MOST_ROWS - 1))):
                    sheet.write(some.encode())
            first = next(rows, None)
        for name, content in _parts(title, sheets).items():
            package.writestr(name, _HEAD + content)
    return buffer.getvalue()


def _sheet(lines: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'
    rows = iter(lines)
    while some := list(islice(rows, _AT_ONCE)):
        yield "".join(map(_row, some))
    yield "</sheetData></worksheet>"


def _row(cells: Sequence[str]) -> str:
    inner = f"{_CELL_END}{_CELL}".join(map(_text, cells))
    return f"<row>{_CELL}{inner}{_CELL_END}</row>" if cells else "<row></row>"


def _text(value: str) -> str:
    if len(value) > MOST_CHARACTERS:
        value = value[:MOST_CHARACTERS]
    if not _SPECIAL.search(value):
        return value
    plain = printable(value).replace("&", "&amp;").replace("<", "&lt;")
    return plain.replace(">", "&gt;").replace("\r", "&#13;")


def _parts(title: str, sheets: int) -> dict[str, str]:
    """What a package needs beside its sheets, by name."""
    numbers = range(1, sheets + 1)
    titles = [title if number == 1 else f"{title} {number}" for number in numbers]
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" '
        f'ContentType="{_KIND}.worksheet+xml"/>'
        for number in numbers
    )
    named = "".join(
        f'<sheet name="{_text(name)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, titles, strict=True)
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" '
        f'Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        f"{kinds}</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        f"<sheets>{named}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f"{related}</Relationships>",
    }
