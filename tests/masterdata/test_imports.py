"""Import and export: each bad row with its place, nothing taken unasked, twice is once."""

import csv
import io
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from common.models import AuditEntry
from masterdata.enums import Supply
from masterdata.models import (
    Bom,
    BomLine,
    CalendarException,
    Item,
    Shift,
)
from masterdata.services import imports
from tests.masterdata import factories as f

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 8, 8, tzinfo=UTC)
HEAD = "code,name,supply\n"


def _table(resource, text):
    content = text if isinstance(text, bytes) else text.encode()
    return imports.read(f"{resource}.csv", content)


def _check(resource, text):
    return imports.check(imports.RESOURCES[resource], _table(resource, text))


def _run(resource, text, take_good=False):
    return imports.run(
        imports.RESOURCES[resource], _table(resource, text), take_good=take_good, by=None, now=NOW
    )


def _faults(resource, text):
    return [(bad.line, bad.column) for bad in _check(resource, text).bad]


def _reason(resource, text):
    [bad] = _check(resource, text).bad
    return bad.reason


class TestTaking:
    def test_a_dry_run_writes_nothing(self):
        plan = _check("items", HEAD + "A,Plate,make\n")
        assert plan.outcome == imports.Outcome(created=1)
        assert not Item.objects.exists()

    def test_a_second_import_creates_and_changes_nothing(self):
        text = HEAD + "A,Plate,make\nB,Screw,buy\n"
        assert _run("items", text).outcome == imports.Outcome(created=2)
        entries = AuditEntry.objects.count()
        assert _run("items", text).outcome == imports.Outcome(unchanged=2)
        assert AuditEntry.objects.count() == entries

    def test_a_change_keeps_what_the_file_leaves_out(self):
        f.ItemFactory(code="A", name="Old", list_price=Decimal(5))
        assert _run("items", HEAD + "A,New,make\n").outcome == imports.Outcome(changed=1)
        item = Item.objects.get()
        assert (item.name, item.list_price, item.version) == ("New", Decimal(5), 2)
        assert AuditEntry.objects.get().changes == {"name": ["Old", "New"]}

    def test_bad_rows_stop_the_good_ones_unless_told(self):
        text = HEAD + "A,Plate,make\nB,Screw,stolen\n"
        with pytest.raises(imports.CannotImport, match="1 rows are bad") as refusal:
            _run("items", text)
        assert [(bad.line, bad.column) for bad in refusal.value.bad] == [(3, "supply")]
        assert not Item.objects.exists()
        assert _run("items", text, take_good=True).outcome == imports.Outcome(created=1, bad=1)
        assert [item.code for item in Item.objects.all()] == ["A"]

    def test_each_fault_of_a_row_is_told(self):
        text = "code,name,supply,scrap_rate,list_price\n,Plate,make,x,1e9\n"
        assert _faults("items", text) == [(2, "code"), (2, "scrap_rate"), (2, "list_price")]

    def test_queries_do_not_grow_with_the_rows(self, django_assert_max_num_queries):
        rows = "".join(f"I-{number},Name,make\n" for number in range(500))
        with django_assert_max_num_queries(12):
            _run("items", HEAD + rows)

    def test_line_numbers_count_lines_inside_quotes(self):
        text = HEAD + 'A,"Two\nlines",make\nB,Screw,stolen\n'
        assert _faults("items", text) == [(2, "name"), (4, "supply")]


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "is empty"),
            (b"\n\n  \n", "is empty"),
            (b"code,name,supply\nA,caf\xe9,make\n", "not UTF-8 text (line 2)"),
            (b"code,name,supply\nA,\x00,make\n", "zero bytes in line 2"),
            (b"PK\x03\x04 broken", "no Excel file"),
            (b"\xd0\xcf\x11\xe0 old", "old Excel"),
            (b"code,name\nA,Plate\n", "lacks the column supply"),
            (b"code,name,supply,colour\nA,Plate,make,red\n", "colour, which is none of"),
            (b"code,name,supply,code\n", "“code” twice"),
            (b"code,,supply\n", "Column 2"),
            (b'code,name,supply\nA,"open,make\n', "no proper CSV from line 2"),
        ],
    )
    def test_a_file_of_no_use_is_told_in_a_sentence(self, content, words):
        with pytest.raises(imports.CannotRead) as refusal:
            _check("items", content)
        assert words in str(refusal.value)

    def test_too_many_rows_are_refused(self, monkeypatch):
        monkeypatch.setattr("masterdata.services.imports.reading.MAX_ROWS", 2)
        with pytest.raises(imports.CannotRead, match="more than 2 rows"):
            _check("items", HEAD + "A,A,make\n" * 3)

    def test_too_large_a_file_is_refused(self, monkeypatch):
        monkeypatch.setattr("masterdata.services.imports.reading.MAX_BYTES", 10)
        with pytest.raises(imports.CannotRead, match="split it"):
            _check("items", HEAD)

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_byte_order_marks_and_delimiters_of_excel_are_read(self, encoding, delimiter):
        text = (HEAD + "A,法兰,make\n").replace(",", delimiter)
        _run("items", text.encode(encoding))
        assert Item.objects.get().name == "法兰"

    def test_a_row_with_too_many_or_too_few_values_is_bad(self):
        assert _faults("items", HEAD + "A,Plate,make,7\nB,Screw\n")[:2] == [(2, ""), (3, "")]

    def test_the_header_may_be_written_with_capitals_and_spaces(self):
        assert _check("items", "Code,Name,Supply,List Price\nA,B,make,1\n").outcome.created == 1


class TestValues:
    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ("1,5", "after a point"),
            ("1e5", "not a number"),
            ("NaN", "not a number"),
            ("-1", "negative"),
            ("9" * 300, "too large"),
            ("0.00001", "more than 4 decimals"),
            ("=1+1", "formula"),
            ("１２", "not a number"),
        ],
    )
    def test_a_number_that_is_none(self, value, words):
        line = io.StringIO()
        csv.writer(line).writerow(["A", "B", "make", value])
        assert words in _reason("items", "code,name,supply,list_price\n" + line.getvalue())

    def test_excels_number_for_a_date_is_recognised(self):
        f.WorkCenterFactory(code="WC")
        head = "work_center,kind,amount_per_hour,valid_from\n"
        assert "2023-03-15" in _reason("cost_rates", head + "WC,machine,10,45000\n")
        assert "2025-12-31" in _reason("cost_rates", head + "WC,machine,10,31.12.2025\n")

    def test_text_that_does_not_fit_and_a_formula_are_refused(self):
        text = HEAD + f"A,{'x' * 201},make\nB,=cmd(),make\n"
        assert _faults("items", text) == [(2, "name"), (3, "name")]

    def test_the_same_code_twice_names_the_first_line(self):
        assert "line 2" in _reason("items", HEAD + "A,Plate,make\nA,Plate,make\n")

    def test_the_rules_of_the_database_are_told_as_sentences(self):
        text = "code,name,supply,lot_policy,lot_size,scrap_rate\n"
        text += "A,A,make,fixed,,0\nB,B,make,period,,0\nC,C,make,lot for lot,,1\n"
        assert _faults("items", text) == [
            (2, "lot_size"),
            (3, "lot_period_days"),
            (4, "scrap_rate"),
        ]

    def test_a_shift_until_midnight_may_be_written_as_24_00(self):
        f.CalendarFactory(code="CAL", shifts=[])
        head = "calendar,weekday,starts_at,ends_at\n"
        _run("shifts", head + "CAL,0,16:00,24:00\nCAL,1,6:00,14:00\n")
        assert set(Shift.objects.values_list("ends_at", flat=True)) == {time(0), time(14)}
        assert _faults("shifts", head + "CAL,7,06:00,25:00\n") == [(2, "ends_at")]

    def test_an_exception_without_offset_is_local_to_its_calendar(self):
        f.CalendarFactory(code="CAL", time_zone="Asia/Shanghai")
        head = "calendar,starts_at,ends_at,reason\n"
        text = head + "CAL,2026-10-01,2026-10-08,Holiday\n"
        _run("calendar_exceptions", text)
        found = CalendarException.objects.get()
        assert found.starts_at == datetime(2026, 9, 30, 16, tzinfo=UTC)
        assert _run("calendar_exceptions", text).outcome == imports.Outcome(unchanged=1)

    def test_what_is_named_must_exist(self):
        calendar = f.CalendarFactory()
        text = f"code,name,site,calendar\nWC,W,NOWHERE,{calendar.code}\n"
        assert "NOWHERE" in _reason("work_centers", text)


BOM = "item,revision,valid_from,valid_to,position,component,quantity_per\n"


class TestBoms:
    @pytest.fixture(autouse=True)
    def _items(self):
        for code in "ABC":
            f.ItemFactory(code=code)
        f.ItemFactory(code="S", supply=Supply.BUY)

    def test_lines_make_their_boms(self):
        text = BOM + "A,A,2026-01-01,,10,S,4\nA,A,2026-01-01,,20,B,1\n"
        assert _run("bom_lines", text).outcome == imports.Outcome(created=2)
        assert Bom.objects.get().lines.count() == 2
        assert _run("bom_lines", text).outcome == imports.Outcome(unchanged=2)

    def test_a_cycle_inside_the_file_names_its_chain_at_each_row(self):
        text = BOM + "A,A,2026-01-01,,10,B,1\nB,A,2026-01-01,,10,A,1\nC,A,2026-01-01,,10,S,1\n"
        bad = _check("bom_lines", text).bad
        assert [row.line for row in bad] == [2, 3]
        assert "A → B → A" in bad[0].reason
        assert _run("bom_lines", text, take_good=True).outcome.created == 1
        assert BomLine.objects.get().bom.item.code == "C"

    def test_a_cycle_with_what_is_there_is_found(self):
        f.BomFactory(item=Item.objects.get(code="B"), components=[(Item.objects.get(code="A"), 1)])
        assert _faults("bom_lines", BOM + "A,A,2026-01-01,,10,B,1\n") == [(2, "component")]

    def test_overlapping_revisions_are_bad_in_the_file_and_with_what_is_there(self):
        text = BOM + "A,A,2026-01-01,,10,S,1\nA,B,2026-06-01,,10,S,1\n"
        assert _faults("bom_lines", text) == [(2, "valid_from"), (3, "valid_from")]
        f.BomFactory(item=Item.objects.get(code="B"))
        assert _faults("bom_lines", BOM + "B,B,2026-06-01,,10,S,1\n") == [(2, "valid_from")]

    def test_the_old_revision_may_end_in_the_same_file(self):
        f.BomFactory(item=Item.objects.get(code="A"), valid_from=date(2026, 1, 1))
        text = BOM + "A,A,2026-01-01,2026-06-01,10,S,1\nA,B,2026-06-01,,10,S,1\n"
        assert _run("bom_lines", text).bad == []
        assert Bom.objects.get(revision="A").valid_to == date(2026, 6, 1)

    def test_the_same_component_twice_on_a_day_is_bad(self):
        text = BOM + "A,A,2026-01-01,,10,S,1\nA,A,2026-01-01,,20,S,1\n"
        assert _faults("bom_lines", text) == [(3, "component")]

    def test_rows_of_a_revision_that_contradict_one_another_are_bad(self):
        text = BOM + "A,A,2026-01-01,,10,S,1\nA,A,2026-02-01,,20,B,1\n"
        assert _faults("bom_lines", text) == [(3, "valid_from")]

    def test_unknown_items_and_no_quantity_are_bad(self):
        text = BOM + "A,A,2026-01-01,,10,GHOST,1\nA,A,2026-01-01,,20,S,0\n"
        assert _faults("bom_lines", text) == [(2, "component"), (3, "quantity_per")]


class TestRoutings:
    HEAD = "item,revision,valid_from,sequence,name,work_center,run_minutes\n"

    def test_a_step_without_or_with_an_unknown_work_center_is_bad(self):
        f.ItemFactory(code="A")
        text = self.HEAD + "A,A,2026-01-01,10,Mill,,5\nA,A,2026-01-01,20,Mill,GHOST,5\n"
        assert _faults("routing_operations", text) == [(2, "work_center"), (3, "work_center")]

    def test_overlapping_revisions_are_bad(self):
        f.ItemFactory(code="A")
        f.WorkCenterFactory(code="WC")
        text = self.HEAD + "A,A,2026-01-01,10,Mill,WC,5\nA,B,2026-02-01,10,Mill,WC,5\n"
        assert len(_faults("routing_operations", text)) == 2

    def test_alternatives_find_their_operation(self):
        step = f.RoutingOperationFactory(sequence=10)
        unit = f.WorkUnitFactory(work_center=step.work_center)
        code = step.routing.item.code
        head = "item,revision,sequence,work_unit,run_minutes\n"
        text = head + f"{code},A,10,{unit.code},7\n"
        _run("operation_alternatives", text)
        assert step.alternatives.get().run_minutes == Decimal(7)
        assert _run("operation_alternatives", text).outcome == imports.Outcome(unchanged=1)
        wrong = head + f"{code},A,20,{unit.code},7\n{code},A,10,GHOST,7\n"
        assert _faults("operation_alternatives", wrong) == [(2, "sequence"), (3, "work_unit")]
