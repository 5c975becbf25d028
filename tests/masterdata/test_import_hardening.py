"""Files made to hurt: each costs little and ends in a sentence."""

import io
import time
import zipfile
from datetime import datetime

import openpyxl  # type: ignore[import-untyped]
import pytest
from django.urls import reverse
from openpyxl.worksheet._reader import WorkSheetParser  # type: ignore[import-untyped]

from common.enums import Role
from masterdata.models import CalendarException, Item
from masterdata.services import imports
from masterdata.services.imports import reading, xlsx
from tests.masterdata import factories as f

pytestmark = pytest.mark.django_db
HEAD = ["code", "name", "supply"]
SHEET = "xl/worksheets/sheet1.xml"
# Seconds that a refusal may take on a busy machine.
QUICK = 5


def _xlsx(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _with_sheet(change, content=None):
    """The file with its sheet's XML changed."""
    source = zipfile.ZipFile(io.BytesIO(content or _xlsx(HEAD, ["A", "Plate", "make"])))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            data = source.read(part)
            target.writestr(part, change(data) if part.filename == SHEET else data)
    return buffer.getvalue()


def _check(resource, content, file="book.xlsx"):
    return imports.check(imports.RESOURCES[resource], imports.read(file, content))


def _faults(resource, text):
    return [(bad.line, bad.column, bad.reason) for bad in _check(resource, text.encode()).bad]


class TestExcel:
    def test_a_sheet_that_does_not_state_its_size_is_not_read_to_find_it(self, monkeypatch):
        def never(parser):
            raise AssertionError("read for its size")

        monkeypatch.setattr(WorkSheetParser, "parse_dimensions", never)
        bare = _with_sheet(lambda xml: xml.replace(b'<dimension ref="A1:C2" />', b""))
        assert b"dimension" not in zipfile.ZipFile(io.BytesIO(bare)).read(SHEET)
        assert _check("items", bare).outcome.created == 1

    def test_what_it_says_of_its_size_is_not_believed(self):
        lie = _with_sheet(lambda xml: xml.replace(b"A1:C2", b"A1:XFD1048576"))
        assert _check("items", lie).outcome.created == 1

    def test_a_row_far_below_is_refused_quickly(self):
        far = _with_sheet(lambda xml: xml.replace(b'r="2"', b'r="1048576"'))
        begun = time.monotonic()
        with pytest.raises(imports.CannotRead, match="empty rows at a stretch"):
            imports.read("far.xlsx", far)
        assert time.monotonic() - begun < QUICK

    def test_a_cell_far_to_the_right_is_refused(self):
        wide = _with_sheet(lambda xml: xml.replace(b'r="C2"', b'r="XFD2"'))
        with pytest.raises(imports.CannotRead, match="more than 200 columns in line 2"):
            imports.read("wide.xlsx", wide)

    def test_too_many_columns_in_the_header_are_refused(self):
        content = ",".join(f"c{n}" for n in range(201)).encode()
        with pytest.raises(imports.CannotRead, match="more than 200 columns"):
            imports.read("wide.csv", content)

    def test_a_bomb_is_refused_before_it_is_unpacked(self):
        bomb = _with_sheet(
            lambda xml: xml.replace(b"</sheetData>", b"<row/>" * 10**6 + b"</sheetData>")
        )
        begun = time.monotonic()
        with pytest.raises(imports.CannotRead, match="unpacks to 6 MB"):
            imports.read("bomb.xlsx", bomb)
        assert time.monotonic() - begun < QUICK

    def test_reading_ends_when_its_time_is_over(self, monkeypatch):
        monkeypatch.setattr(xlsx, "MAX_SECONDS", -1.0)
        with pytest.raises(imports.CannotRead, match="takes longer"):
            imports.read("slow.xlsx", _xlsx(HEAD))

    @pytest.mark.parametrize("part", [b"</sheetData>", b"<sheetData>", b'r="A2"', b't="inlineStr"'])
    def test_a_broken_sheet_is_a_sentence(self, part):
        broken = _with_sheet(lambda xml: xml.replace(part, b'r="?"' if b"=" in part else b""))
        with pytest.raises(imports.CannotRead, match="no Excel file|lacks the column|is empty"):
            _check("items", broken)

    def test_a_second_sheet_with_a_named_range_does_not_matter(self):
        book = openpyxl.Workbook()
        for row in (HEAD, ["A", "Plate", "make"]):
            book.active.append(row)
        other = book.create_sheet("Other")
        other.print_title_rows = "1:1"
        buffer = io.BytesIO()
        book.save(buffer)
        assert _check("items", buffer.getvalue()).outcome.created == 1


HALF = "A\ud800"


class TestHalfCharacters:
    """Half of a surrogate pair: no database, page or file takes it."""

    @pytest.fixture
    def _half(self, monkeypatch):
        rows = [(1, HEAD), (2, [HALF, "Plate", "make"])]
        monkeypatch.setattr(xlsx, "lines", lambda file, content: iter(rows))

    @pytest.mark.usefixtures("_half")
    def test_in_a_code_it_is_the_fault_of_its_cell(self):
        [bad] = _check("items", b"PK\x03\x04").bad
        assert (bad.line, bad.column) == (2, "code")
        assert "half a character" in bad.reason

    def test_in_a_header_it_is_told_without_repeating_it(self, monkeypatch):
        monkeypatch.setattr(xlsx, "lines", lambda file, content: iter([(1, ["code", HALF])]))
        with pytest.raises(imports.CannotRead, match="Column 2") as refusal:
            imports.read("book.xlsx", b"PK\x03\x04")
        str(refusal.value).encode()

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
    def test_in_a_text_file_it_is_no_text(self, encoding, client_for):
        mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
        text = f"code,name,supply\n{HALF},Plate,make\n".encode(encoding, "surrogatepass")
        with pytest.raises(imports.CannotRead, match="not UTF-8 text"):
            imports.read("wide.csv", mark + text)

    @pytest.mark.usefixtures("_half")
    def test_the_page_answers_with_the_row_and_not_with_an_error(self, client_for, monkeypatch):
        client = client_for(Role.ADMINISTRATOR)
        monkeypatch.setattr(xlsx, "unpacked_bytes", lambda file, content: 0)
        file = io.BytesIO(b"PK\x03\x04")
        file.name = "book.xlsx"
        answer = client.post(
            reverse("masterdata:import-start"), {"resource": "items", "file": file}
        )
        assert answer.status_code == 302
        assert "half a character" in client.get(answer["Location"]).content.decode()
        assert not Item.objects.exists()

    def test_control_characters_are_refused(self):
        [(line, column, reason)] = _faults("items", "code,name,supply\nA\x85B,Plate,make\n")
        assert (line, column) == (2, "code")
        assert "control character" in reason


class TestYears:
    @pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "3000-01-01", "9999-12-31"])
    def test_a_day_of_no_such_year_is_the_fault_of_its_cell(self, day):
        f.WorkCenterFactory(code="WC")
        head = "work_center,kind,amount_per_hour,valid_from\n"
        [(line, column, reason)] = _faults("cost_rates", head + f"WC,machine,10,{day}\n")
        assert (line, column) == (2, "valid_from")
        assert "between 1900 and 2999" in reason

    @pytest.mark.parametrize("moment", ["0001-01-01 00:00", "9999-12-31 23:59", "9999-12-31"])
    def test_a_moment_of_no_such_year_is_the_fault_of_its_cell(self, moment):
        f.CalendarFactory(code="CAL", time_zone="Asia/Shanghai")
        head = "calendar,starts_at,ends_at\n"
        [(line, column, _reason)] = _faults(
            "calendar_exceptions", head + f"CAL,{moment},2026-01-02 00:00\n"
        )
        assert (line, column) == (2, "starts_at")
        assert not CalendarException.objects.exists()

    def test_a_date_cell_of_no_such_year_is_the_fault_of_its_cell(self):
        f.WorkCenterFactory(code="WC")
        head = ["work_center", "kind", "amount_per_hour", "valid_from"]
        content = _xlsx(head, ["WC", "machine", 10, datetime(9999, 12, 31)])
        [bad] = _check("cost_rates", content).bad
        assert (bad.line, bad.column) == (2, "valid_from")

    def test_more_days_than_dates_can_bear_are_the_fault_of_their_cell(self):
        head = "code,name,supply,lead_time_days\n"
        [(line, column, reason)] = _faults("items", head + "A,A,make,999999999\n")
        assert (line, column) == (2, "lead_time_days")
        assert "at most 3650 days" in reason


def test_a_file_too_large_is_refused_before_anybody_reads_it(client_for, monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    monkeypatch.setattr(reading, "read", lambda *args, **kwargs: pytest.fail("read"))
    file = io.BytesIO(b"code,name,supply\n")
    file.name = "large.csv"
    answer = client_for(Role.ADMINISTRATOR).post(
        reverse("masterdata:import-start"), {"resource": "items", "file": file}
    )
    assert answer.status_code == 422
    assert "split it" in answer.content.decode()


def test_a_line_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(reading, "MAX_LINE", 1000)
    with pytest.raises(imports.CannotRead, match="no proper CSV from line 2"):
        imports.read("f.csv", b"code,name,supply\n" + b"," * 2000)
