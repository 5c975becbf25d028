"""Excel files, exports, and the import in three steps."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl  # type: ignore[import-untyped]
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.enums import Role
from common.models import AuditEntry
from masterdata.models import CalendarException, Customer, ImportUpload, Item, OperationCheck, Site
from masterdata.services import imports, uploads
from tests.masterdata import factories as f

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 8, 8, tzinfo=UTC)
HEAD = "code,name,supply\n"


def _check(resource, content):
    return imports.check(imports.RESOURCES[resource], imports.read("items.csv", content))


def _xlsx(rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


class TestExcel:
    def _check(self, resource, rows):
        table = imports.read("book.xlsx", _xlsx(rows))
        return imports.check(imports.RESOURCES[resource], table)

    def test_numbers_dates_and_flags_of_cells_are_understood(self):
        f.WorkCenterFactory(code="1001")
        head = ["work_center", "kind", "amount_per_hour", "valid_from"]
        plan = self._check("cost_rates", [head, [1001, "machine", 0.1 + 0.2, date(2026, 1, 1)]])
        assert plan.bad == []
        [(row, _parsed)] = plan.new
        assert (row.amount_per_hour, row.valid_from) == (Decimal("0.3"), date(2026, 1, 1))

    def test_a_formula_is_refused_at_its_place(self):
        plan = self._check("items", [["code", "name", "supply"], ["A", "=1+1", "make"]])
        assert [(bad.line, bad.column) for bad in plan.bad] == [(2, "name")]

    def test_empty_cells_at_the_end_are_empty_values(self):
        head = ["code", "name", "supply", "category"]
        assert self._check("items", [head, ["A", "B", "make"]]).bad == []


class TestExport:
    def test_every_kind_comes_back_unchanged(self):
        step = f.RoutingOperationFactory(name_zh="铣")
        f.OperationAlternativeFactory(operation=step, run_minutes=Decimal("1.5"))
        OperationCheck.objects.create(operation=step, position=10, name="Bore")
        f.BomLineFactory(valid_to=date(2026, 1, 1))
        f.SupplierPriceFactory()
        f.CostRateFactory()
        f.ExchangeRateFactory()
        f.ChangeoverFactory(to_family="RED")
        f.CrewFactory()
        f.ToolFactory()
        f.CustomerFactory()
        CalendarException.objects.create(
            calendar=f.CalendarFactory(),
            starts_at=NOW,
            ends_at=datetime(2026, 6, 9, tzinfo=UTC),
        )
        where = {"street": "1 Mill Road", "town": "48000 Detroit", "country": "USA"}
        Site.objects.update(**where)
        assert set(where.values()) <= set(
            imports.export_csv(imports.RESOURCES["sites"]).decode().replace("\r\n", ",").split(",")
        )
        for resource in imports.RESOURCES.values():
            count = resource.model.objects.count()
            assert count
            for content in (imports.export_csv(resource), imports.export_xlsx(resource)):
                plan = imports.check(resource, imports.read(resource.name, content))
                assert plan.bad == []
                assert plan.outcome == imports.Outcome(unchanged=count), resource.name

    @pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@x"])
    def test_formulas_are_disarmed_and_come_back(self, text):
        f.ItemFactory(code="A", name=text)
        content = imports.export_csv(imports.RESOURCES["items"])
        [row] = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
        assert row["name"] == f"'{text}"
        assert _check("items", content).outcome == imports.Outcome(unchanged=1)
        sheet = openpyxl.load_workbook(
            io.BytesIO(imports.export_xlsx(imports.RESOURCES["items"]))
        ).active
        assert all(cell.data_type != "f" for line in sheet for cell in line)


class TestWizard:
    def _upload(self, client, text, resource="items", name="items.csv"):
        file = io.BytesIO(text.encode())
        file.name = name
        return client.post(reverse("masterdata:import-start"), {"resource": resource, "file": file})

    def test_upload_look_confirm(self, client_for):
        client = client_for(Role.ADMINISTRATOR)
        assert client.get(reverse("masterdata:import-start")).status_code == 200
        answer = self._upload(client, HEAD + "A,Plate,make\n")
        assert answer.status_code == 302
        page = client.get(answer["Location"])
        assert page.context["outcome"]["created"] == 1
        assert not Item.objects.exists()
        assert client.post(answer["Location"]).status_code == 302
        assert Item.objects.get().code == "A"
        assert client.get(answer["Location"]).status_code == 200
        assert AuditEntry.objects.get().actor_label == "administrator"

    def test_bad_rows_are_shown_and_taken_only_on_request(self, client_for):
        client = client_for(Role.ADMINISTRATOR)
        url = self._upload(client, HEAD + "A,Plate,make\nB,Screw,stolen\n")["Location"]
        page = client.get(url).content.decode()
        assert "stolen" in page
        client.post(url)
        assert not Item.objects.exists()
        client.post(url, {"take_good": "yes"})
        assert [item.code for item in Item.objects.all()] == ["A"]

    def test_the_list_of_uploads_reads_no_reports(self, client_for):
        client = client_for(Role.ADMINISTRATOR)
        for supply in ("stolen", "lent"):
            self._upload(client, HEAD + f"B,Screw,{supply}\n")
        with CaptureQueriesContext(connection) as captured:
            page = client.get(reverse("masterdata:import-start"))
        assert len(page.context["recent"]) == 2
        read = [query["sql"] for query in captured if "masterdata_importupload" in query["sql"]]
        assert len(read) == 1
        assert '"report"' not in read[0]

    def test_faults_are_a_file_of_more_than_the_page_lists(self, client_for, monkeypatch):
        monkeypatch.setattr("masterdata.views.imports.SHOWN_FAULTS", 2)
        client = client_for(Role.ADMINISTRATOR)
        text = HEAD + "A,Plate,make\nB,Screw,stolen\nC,Nut,stolen\nD,Bolt,lent\n"
        url = self._upload(client, text, name="=2+5.csv")["Location"]
        page = client.get(url).content.decode()
        assert "The first 2 are listed; the file holds 3." in page
        faults = reverse("masterdata:import-faults", args=[ImportUpload.objects.get().pk])
        assert faults in page
        answer = client.get(faults)
        assert answer["Content-Disposition"].startswith('attachment; filename="faults-')
        content = answer.content.decode("utf-8-sig")
        assert content.splitlines()[0] == "file,line,column,reason"
        rows = list(csv.DictReader(io.StringIO(content)))
        # A formula in the file's own name is disarmed.
        assert [(row["file"], row["line"], row["column"]) for row in rows[:2]] == [
            ("'=2+5.csv", "3", "supply"),
            ("'=2+5.csv", "4", "supply"),
        ]
        assert rows[0]["reason"] == "“stolen” is none of make, buy."
        assert len(rows) == 3
        # What was left out can still be read when the good rows are in.
        client.post(url, {"take_good": "yes"})
        assert client.get(faults).content.decode("utf-8-sig") == content
        assert client_for(Role.PLANNER).get(faults).status_code == 403

    def test_an_unreadable_file_is_told_and_not_kept(self, client_for):
        answer = self._upload(client_for(Role.ADMINISTRATOR), "code,name\nA,B\n")
        assert answer.status_code == 422
        assert "lacks the column supply" in answer.content.decode()
        assert not ImportUpload.objects.exists()

    def test_a_file_is_imported_once(self):
        upload = uploads.receive(
            resource="customers",
            file_name="c.csv",
            content=b"code,name\nC,Customer\n",
            by=None,
            now=NOW,
        )
        uploads.confirm(upload=upload, take_good=False, by=None, now=NOW)
        with pytest.raises(uploads.CannotConfirm):
            uploads.confirm(upload=upload, take_good=False, by=None, now=NOW)
        assert Customer.objects.count() == 1

    def test_who_may_not_import_gets_nothing(self, client_for):
        assert self._upload(client_for(Role.PLANNER), HEAD).status_code == 403
        assert not ImportUpload.objects.exists()

    def test_an_export_is_a_download(self, client_for):
        f.ItemFactory(code="A")
        client = client_for(Role.PLANNER)
        for suffix in ("csv", "xlsx"):
            url = reverse("masterdata:export", args=["items", suffix])
            answer = client.get(url)
            assert answer["Content-Disposition"] == f'attachment; filename="items.{suffix}"'
            assert imports.read("x", answer.content).rows[0].cells["code"] == "A"
        assert client.get(reverse("masterdata:export", args=["users", "csv"])).status_code == 404
