"""A tiny folder with every kind of dirt, through the command."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import Sum

from crm.enums import OrderState
from crm.models import SalesOrder, SalesOrderLine
from crm.services.dataset.plant import weekly_pattern
from erp.models import PurchaseOrder, StockBalance
from masterdata.enums import LotPolicy, Supply
from masterdata.models import BomLine, Item, RoutingOperation, Shift, WorkUnit
from tests.masterdata import dataset_folder

FILES = {
    "items.csv": """\
item_number,name,supply,uom,category,subcategory,standard_cost,list_price,safety_stock,days_to_manufacture
BIKE,Bike,make,EA,Bikes,Road,100.0000,200.0000,1,2
FRAME,Frame,make,EA,Component,Frames,.0000,.0000,0,1
TUBE,Tube,buy,EA,Component,,2.0000,.0000,0,0
PAINT,Paint,buy,EA,Component,,1.0000,.0000,0,0
""",
    "bom_lines.csv": """\
assembly,component,quantity_per,uom,valid_from,valid_to
BIKE,FRAME,1.00,EA,2021-01-01,
FRAME,TUBE,3.00,EA,2021-01-01,2021-06-30
FRAME,TUBE,4.00,EA,2021-06-01,
FRAME,PAINT,8.00,OZ,2021-01-01,
""",
    "work_centers.csv": """\
work_center,name,cost_rate_per_hour,available_hours_per_week
WC10,Welding,25.0000,80.00
WC60,Assembly,12.2500,120.00
""",
    "routing_operations.csv": """\
item_number,sequence,work_center,work_center_name,hours_per_order
BIKE,7,WC60,Assembly,4.0
""",
    "stock.csv": """\
item_number,location,shelf,bin,quantity
TUBE,Rack,A,1,10
TUBE,Shop,B,2,5
""",
    "suppliers.csv": "supplier,name,preferred,active\nACME,Acme,1,1\n",
    "supplier_prices.csv": """\
supplier,item_number,lead_time_days,price,last_receipt_date,min_order_quantity,max_order_quantity
ACME,TUBE,17,2.0000,2022-01-01,1,100
""",
    "purchase_order_lines.csv": """\
purchase_order,line,supplier,order_date,due_date,item_number,quantity,unit_price,received,rejected
PO1,1,ACME,2025-01-01,2025-01-15,TUBE,50,2.0000,20.00,5.00
PO2,2,ACME,2025-01-01,2025-01-15,TUBE,50,2.0000,50.00,.00
""",
    "customers.csv": "customer,name\nC1,Rider\n",
    "sales_order_lines.csv": """\
sales_order,customer,customer_reference,order_date,requested_date,item_number,quantity,unit_price
SO1,C1,PO-7,2025-01-28,2025-02-10,BIKE,3,190.0000
SO1,C1,PO-7,2025-01-28,2025-02-10,TUBE,2,3.0000
SO2,C1,,2025-02-03,2025-03-10,BIKE,1,190.0000
""",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def _run(folder, *options):
    """Exit code and what was printed."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_dataset", str(folder), *options, stdout=out, stderr=err)
    except SystemExit as stop:
        return stop.code, out.getvalue() + err.getvalue()
    return 0, out.getvalue() + err.getvalue()


def _add(folder, name, line):
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


@pytest.mark.django_db
class TestImport:
    def test_everything_comes_in(self, folder):
        code, text = _run(folder)
        assert code == 0, text
        order = SalesOrder.objects.get(number="SO1")
        assert (order.state, order.customer_reference) == (OrderState.SUBMITTED, "PO-7")
        assert [line.position for line in order.lines.order_by("position")] == [10, 20]
        assert StockBalance.objects.get(item__code="TUBE").on_hand == 15
        bike = Item.objects.get(code="BIKE")
        assert (bike.lot_policy, bike.lot_period_days) == (LotPolicy.PERIOD, 7)
        assert (bike.is_sold, bike.lead_time_days) == (True, 2)
        assert Item.objects.get(code="TUBE").lead_time_days == 17
        step = RoutingOperation.objects.get(routing__item=bike)
        assert (step.run_minutes, step.run_basis) == (Decimal(240), "per_order")

    def test_a_second_import_changes_nothing_and_keeps_the_machines(self, folder):
        _run(folder)
        machines = WorkUnit.objects.count()
        code, text = _run(folder)
        rows = [line.split() for line in text.split("\n\n")[0].splitlines()[1:]]
        assert code == 0
        assert all(row[-4:-2] == ["0", "0"] for row in rows), text
        assert WorkUnit.objects.count() == machines

    def test_overlapping_lines_end_where_their_successors_begin_and_are_told(self, folder):
        _code, text = _run(folder)
        [old, new] = BomLine.objects.filter(component__code="TUBE").order_by("position")
        assert (old.valid_to, new.valid_from) == (date(2021, 6, 1), date(2021, 6, 1))
        assert "FRAME → TUBE" in text

    def test_purchase_orders_keep_what_is_still_to_come(self, folder):
        _run(folder)
        states = dict(PurchaseOrder.objects.values_list("number", "state"))
        assert states == {"PO1": "partly_received", "PO2": "received"}
        line = PurchaseOrder.objects.get(number="PO1").lines.get()
        assert line.quantity - line.received - line.rejected == 30

    def test_an_item_without_routing_gets_one_operation_and_is_listed(self, folder):
        _code, text = _run(folder)
        step = RoutingOperation.objects.get(routing__item__code="FRAME")
        assert (step.work_center.code, step.run_minutes) == ("WC60", Decimal(240))
        assert "1 made items have no routing; one operation at WC60" in text

    def test_or_it_is_bought(self, folder):
        _code, text = _run(folder, "--no-routing", "buy")
        assert Item.objects.get(code="FRAME").supply == Supply.BUY
        assert not RoutingOperation.objects.filter(routing__item__code="FRAME").exists()
        assert "are bought instead: FRAME" in text

    def test_machines_are_as_many_as_told(self, folder):
        _run(folder, "--units", "WC10=3,WC60=2")
        codes = WorkUnit.objects.order_by("code").values_list("code", flat=True)
        assert list(codes) == ["WC10-1", "WC10-2", "WC10-3", "WC60-1", "WC60-2"]

    def test_machines_are_sized_by_the_load(self, folder):
        # Two bikes and two frames in separate weeks: 16 hours at WC60 in 41 days of 702 hours.
        _code, text = _run(folder, "--load", "0.01")
        assert WorkUnit.objects.filter(work_center__code="WC60").count() == 3
        assert "sized so that 16 hours in 41 days load them at most 1 %" in text

    def test_all_dates_move_by_one_delta(self, folder):
        _run(folder, "--start-date", "2026-01-28")
        line = SalesOrderLine.objects.get(order__number="SO2")
        assert line.requested_date == date(2026, 3, 10)
        assert PurchaseOrder.objects.get(number="PO1").lines.get().due_date == date(2026, 1, 15)
        assert BomLine.objects.get(component__code="FRAME").valid_from == date(2022, 1, 1)

    def test_lot_for_lot_on_request(self, folder):
        _run(folder, "--lot-period-days", "0")
        assert Item.objects.get(code="BIKE").lot_policy == LotPolicy.LOT_FOR_LOT

    def test_a_dry_run_writes_nothing(self, folder):
        code, text = _run(folder, "--dry-run")
        assert code == 0
        assert "nothing was imported" in text
        assert not Item.objects.exists()


BAD_LINES = {
    "items.csv": ("X,X,stolen,EA,,,0,0,0,0", "items.csv, line 6, supply"),
    "bom_lines.csv": ("BIKE,GHOST,1,EA,2021-01-01,", "bom_lines.csv, line 6, component"),
    "work_centers.csv": ("WC99,W,1,200", "line 4, available_hours_per_week"),
    "routing_operations.csv": ("FRAME,1,GHOST,G,1.0", "line 3, work_center"),
    "stock.csv": ("GHOST,R,A,1,5", "stock.csv, line 4, item_number"),
    "supplier_prices.csv": ("ACME,TUBE,1,x,2023-01-01,1,", "line 3, price"),
    "purchase_order_lines.csv": (
        "PO3,3,GHOST,2025-01-01,2025-01-15,TUBE,5,1,0,0",
        "line 4, supplier",
    ),
    "sales_order_lines.csv": (
        "SO3,C1,,2025-02-03,soon,BIKE,1,1",
        "sales_order_lines.csv, line 5, requested_date",
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_row_stops_everything_and_is_named(folder, name):
    line, place = BAD_LINES[name]
    _add(folder, name, line)
    code, text = _run(folder)
    assert code == 1
    assert place in text
    assert not Item.objects.exists()
    assert not SalesOrder.objects.exists()


@pytest.mark.django_db
def test_the_good_rows_come_in_when_told(folder):
    _add(folder, "sales_order_lines.csv", "SO3,C1,,2025-02-03,2025-03-10,GHOST,1,1")
    _add(folder, "sales_order_lines.csv", "SO3,C1,,2025-02-03,2025-03-10,BIKE,-1,1")
    code, text = _run(folder, "--take-good")
    assert code == 0
    assert "line 5, item_number" in text
    assert "line 6, quantity" in text
    assert SalesOrder.objects.count() == 2


@pytest.mark.django_db
def test_an_order_that_changed_meanwhile_is_left_alone_and_told(folder):
    _run(folder)
    SalesOrderLine.objects.filter(order__number="SO2").update(quantity=9)
    _code, text = _run(folder)
    assert "there with other lines and were left alone: SO2" in text
    total = SalesOrderLine.objects.filter(order__number="SO2").aggregate(all=Sum("quantity"))
    assert total["all"] == 9


@pytest.mark.django_db
def test_a_missing_folder_or_file_is_one_sentence_and_exit_2(folder):
    code, text = _run(folder / "nowhere")
    assert (code, len(text.splitlines())) == (2, 1)
    (folder / "stock.csv").unlink()
    code, text = _run(folder)
    assert code == 2
    assert "stock.csv" in text


@pytest.mark.django_db
def test_a_missing_column_is_one_sentence_and_exit_2(folder):
    (folder / "customers.csv").write_text("customer\nC1\n")
    code, text = _run(folder)
    assert code == 2
    assert "customers.csv lacks the column name" in text


@pytest.mark.parametrize(
    "options", [["--units", "0"], ["--units", "WC10=x"], ["--load", "2"], ["--start-date", "x"]]
)
def test_an_option_of_no_use_is_refused(folder, options):
    with pytest.raises(Exception, match="is n|neither"):
        call_command("import_dataset", str(folder), *options)


@pytest.mark.parametrize(
    ("hours", "days", "daily"),
    [
        (120, 5, 24),
        (80, 5, 16),
        (96, 6, 16),
        (108, 6, 18),
        (40, 5, 8),
        (168, 7, 24),
        (140, 7, 20),
    ],
)
def test_weekly_hours_become_even_days(hours, days, daily):
    assert weekly_pattern(Fraction(hours)) == (days, Fraction(daily))


@pytest.mark.django_db
def test_the_shifts_of_a_center_add_up_to_its_hours(folder):
    _run(folder)
    for code, hours in (("MAIN-80H", 80), ("MAIN-120H", 120)):
        minutes = 0
        for shift in Shift.objects.filter(calendar__code=code):
            start = shift.starts_at.hour * 60 + shift.starts_at.minute
            end = shift.ends_at.hour * 60 + shift.ends_at.minute
            minutes += end - start if end > start else end + 1440 - start
        assert minutes == hours * 60


def test_a_missing_real_folder_skips_with_a_sentence_and_fails_in_ci(monkeypatch, tmp_path):
    monkeypatch.setenv("MILLSTREAM_DATA", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="MILLSTREAM_DATA"):
        dataset_folder.adventureworks()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="MILLSTREAM_DATA"):
        dataset_folder.adventureworks()
