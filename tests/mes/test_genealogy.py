"""The floor writes the genealogy: what a piece is made from, who made it, what was measured."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from erp.services import holds
from masterdata.enums import Tracking
from masterdata.models import OperationCheck, RoutingOperation
from mes.services import (
    checks,
    consumption,
    execution,
    machine_events,
    machine_parsing,
    undoing,
)
from tests.factories import UserFactory
from tests.mes.factories import NOW, Plant
from tests.mes.test_consumption import receive
from tests.shared import shared
from tests.traceability import ledger
from traceability import selectors
from traceability.enums import Certainty, Verdict
from traceability.models import Event, Lot, Parameter, Reading, SerialUnit

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return UserFactory(username="ada", roles=["supervisor"])


@shared()
def plant():
    """PUMP (a unit) of a SHAFT (by lot, from BAR) and a MOTOR (a unit, scanned), in two steps."""
    plant = Plant()
    plant.buy("BAR", tracking=Tracking.LOT)
    plant.buy("MOTOR", tracking=Tracking.SERIAL, issue_method="scan")
    plant.make("SHAFT", {"BAR": "0.5"}, tracking=Tracking.LOT)
    plant.make("PUMP", {"SHAFT": 1, "MOTOR": 1}, steps=2, tracking=Tracking.SERIAL)
    first, last = RoutingOperation.objects.filter(routing__item__code="PUMP").order_by("sequence")
    limits = {"lower": Decimal("2.2"), "target": Decimal("2.4"), "upper": Decimal("2.6")}
    OperationCheck.objects.create(
        operation=first,
        position=10,
        name="Screws tightened",
        code="torque",
        kind="parameter",
        unit="N·m",
        frequency="per_piece",
        is_required=False,
        **limits,
    )
    OperationCheck.objects.create(
        operation=last, position=10, name="Final inspection", kind="pass", is_required=False
    )
    receive(plant, "BAR", 1, lot_number="RM-1")
    receive(plant, "BAR", 9, lot_number="RM-2")
    receive(plant, "MOTOR", 4, serials=["M-1", "M-2", "M-3", "M-4"])
    return plant


def later(minutes):
    return NOW + timedelta(minutes=minutes)


def step(plant, code, number=0):
    return plant.orders(code)[0].operations.order_by("sequence")[number]


def start(plant, code, by, *, number=0, unit=0, now=NOW):
    return execution.start(
        operation=step(plant, code, number), work_unit_id=plant.units[unit].pk, by=by, now=now
    )


def report(operation, good, by, now, **more):
    return execution.report(operation=operation, good=Decimal(good), by=by, now=now, **more)


def shafts(plant, quantity, by):
    plant.plan(plant.need("PUMP", quantity))
    report(start(plant, "SHAFT", by), quantity, by, later(10))
    execution.finish(operation=step(plant, "SHAFT"), by=by, now=later(11))


def assembled(plant, by, quantity=2):
    """Shafts are made; pumps have passed the first step, and their motors are scanned."""
    shafts(plant, quantity, by)
    operation = start(plant, "PUMP", by, now=later(20))
    for number in range(quantity):
        consumption.scan(operation=operation, code=f"M-{number + 1}", by=by, now=later(21 + number))
    report(operation, quantity, by, later(30))
    return execution.finish(operation=operation, by=by, now=later(31))


def numbers(nodes):
    units, lots = selectors.units(nodes), selectors.lots(nodes)
    return {thing.number for thing in (*units.values(), *lots.values())}


def test_a_unit_is_traced_to_the_suppliers_lots_and_the_scanned_part(plant, ada):
    assembled(plant, ada)
    operation = start(plant, "PUMP", ada, number=1, unit=1, now=later(40))
    report(operation, 2, ada, later(50), serials=["123456", "123457"])
    wo = plant.orders("SHAFT")[0].number
    one, other = SerialUnit.objects.filter(item__code="PUMP").order_by("pk")
    assert numbers(selectors.above([one.pk])) == {"123456", "M-1", wo, "RM-1"}
    assert numbers(selectors.above([other.pk])) == {"123457", "M-2", wo, "RM-1"}
    assert selectors.units_of_lots([Lot.objects.get(number="RM-1").pk]) == {
        one.pk: True,
        other.pk: True,
    }
    assert SerialUnit.objects.get(number="M-1").host == one
    ledger.agrees_with_stock()
    ledger.is_sound()


def test_a_change_of_lots_is_told_as_a_doubt(plant, ada):
    assembled(plant, ada, quantity=4)
    report(start(plant, "PUMP", ada, number=1, now=later(40)), 4, ada, later(50))
    # Four shafts took two metres; the first bar held one.
    first, second = (Lot.objects.get(number=number).pk for number in ("RM-1", "RM-2"))
    units = SerialUnit.objects.filter(item__code="PUMP").values_list("pk", flat=True)
    assert selectors.units_of_lots([first]) == dict.fromkeys(units, True)
    assert selectors.units_of_lots([second]) == dict.fromkeys(units, True)
    shaft = Lot.objects.get(item__code="SHAFT")
    steps = [one for one in selectors.steps_over(shaft.pk) if one.parent in (first, second)]
    # The lot of shafts took all that was issued: both bars are in it for sure.
    assert {one.certainty for one in steps} == {Certainty.EXACT}
    assert {one.parent: one.quantity for one in steps} == {
        first: Decimal("0.25"),
        second: Decimal("0.25"),
    }


def test_of_units_made_from_two_lots_each_may_have_either(plant, ada):
    plant.make("KEY", {"BAR": "0.5"}, tracking=Tracking.SERIAL)
    plant.plan(plant.need("KEY", 4))
    operation = start(plant, "KEY", ada)
    report(operation, 3, ada, later(5))
    lots = Lot.objects.filter(item__code="BAR").values_list("pk", flat=True)
    keys = SerialUnit.objects.filter(item__code="KEY").values_list("pk", flat=True)
    for lot in lots:
        assert selectors.units_of_lots([lot]) == dict.fromkeys(keys, False)


def test_readings_say_where_who_and_what_was_measured(plant, ada):
    bob = UserFactory(username="bob", roles=["supervisor"])
    shafts(plant, 2, ada)
    for minute, place, name in ((-9, 0, "OLD"), (5, 0, "A v1"), (25.5, 0, "A v2"), (52, 1, "B")):
        said = {"id": name, "unit": plant.units[place].code, "kind": "program", "name": name}
        rows = machine_parsing.parse(
            [{**said, "at": later(minute).isoformat()}],
            units={unit.code: unit.pk for unit in plant.units},
            now=later(60),
        )
        machine_events.record(source="cell", rows=rows, by=None, now=later(60))
    operation = start(plant, "PUMP", ada, now=later(20))
    torque = operation.checks.get()
    low = checks.record(check=torque, value=Decimal("2.9"), by=ada, now=later(21))
    checks.record(check=torque, value=Decimal("2.4"), replaces=low, by=ada, now=later(22))
    checks.record(check=torque, value=Decimal("2.5"), by=bob, now=later(23))
    for code in ("M-1", "M-2"):
        consumption.scan(operation=operation, code=code, by=ada, now=later(24))
    report(operation, 1, ada, later(25))
    report(operation, 1, bob, later(26))
    execution.finish(operation=operation, by=ada, now=later(27))
    last = start(plant, "PUMP", bob, number=1, unit=1, now=later(40))
    report(last, 2, bob, later(50), serials=["1", "2"])
    # Answered when the pieces were out: it holds for both.
    checks.record(check=last.checks.get(), is_good=True, by=bob, now=later(51))
    first = SerialUnit.objects.get(number="1", item__code="PUMP")
    names = dict(Parameter.objects.values_list("pk", "code"))
    assert [
        (
            row.operation,
            row.work_unit_id,
            row.operator_id,
            names.get(row.parameter_id),
            row.value,
            row.verdict,
        )
        for row in selectors.readings_of([first.pk])
    ] == [
        (10, plant.units[0].pk, ada.pk, "torque", Decimal("2.9"), Verdict.FAIL),
        (10, plant.units[0].pk, ada.pk, "torque", Decimal("2.4"), Verdict.PASS),
        (10, plant.units[0].pk, ada.pk, None, None, Verdict.NONE),
        (20, plant.units[1].pk, bob.pk, None, None, Verdict.NONE),
        (20, plant.units[1].pk, bob.pk, "Final inspection", None, Verdict.PASS),
    ]
    second = SerialUnit.objects.get(number="2", item__code="PUMP")
    told = selectors.readings_of([second.pk])
    assert [row.value for row in told if row.value] == [Decimal("2.5")]
    # The second piece left the first machine with the second report.
    assert [row.operator_id for row in told if row.parameter_id is None] == [bob.pk, bob.pk]
    # What the machine ran at that moment; the other one named its program when all was done.
    assert {row.program for row in selectors.readings_of([first.pk]) if row.operation == 10} == {
        "A v1"
    }
    assert {row.program for row in told if row.operation == 20} == {""}
    assert [row.program for row in told if row.operation == 10] == ["A v1", "A v2"]
    ran = selectors.touched_by(selectors.Cause(program="A v2", since=NOW, until=later(60)))
    assert ran == {second.pk}
    limits = Reading.objects.filter(parameter_id__isnull=False, value__isnull=False).first()
    assert (limits.lower, limits.upper) == (Decimal("2.2"), Decimal("2.6"))
    assert Parameter.objects.get(code="torque").unit == "N·m"


def test_scrap_and_rework_of_pieces_without_a_number_are_told(plant, ada):
    assembled(plant, ada)
    operation = start(plant, "PUMP", ada, number=1, now=later(40))
    report(operation, 0, ada, later(41), scrap=Decimal(1), reason="dropped")
    report(operation, 0, ada, later(42), rework=Decimal(1), reason="paint")
    report(operation, 1, ada, later(43), from_rework=True, serials=["123456"])
    told = Event.objects.filter(reference=plant.orders("PUMP")[0].number, operation=20)
    assert list(told.order_by("pk").values_list("kind", "note")) == [
        ("scrap", "1 dropped"),
        ("rework", "1 paint"),
        ("build", ""),
    ]
    # The motor of the scrapped piece is not in the good one.
    assert SerialUnit.objects.get(number="123456").parts.get().number == "M-2"


def test_a_report_that_is_taken_back_is_corrected_and_not_deleted(plant, ada):
    assembled(plant, ada)
    operation = start(plant, "PUMP", ada, number=1, now=later(40))
    report(operation, 2, ada, later(50), serials=["1", "2"])
    mistake = operation.reports.get()
    undoing.undo(report=mistake, by=ada, now=later(51))
    wrong = SerialUnit.objects.get(number="1", item__code="PUMP")
    assert wrong.state == "scrapped"
    assert selectors.above([wrong.pk]) == {wrong.pk}
    assert [one.why.label for one in selectors.steps_over(wrong.pk) if not one.holds]
    built, correction = Event.objects.filter(operation=20).exclude(kind="process").order_by("pk")
    assert (built.kind, correction.kind, correction.corrects) == ("build", "correction", built)
    # Reported again under other numbers: the motors are free to go in.
    report(operation, 2, ada, later(52), serials=["3", "4"])
    assert SerialUnit.objects.get(number="M-1").host.number == "3"
    ledger.agrees_with_stock()
    ledger.is_sound()


def test_material_on_hold_stops_the_work_it_went_into(plant, ada):
    shafts(plant, 2, ada)
    operation = start(plant, "PUMP", ada, now=later(20))
    shaft = Lot.objects.get(item__code="SHAFT")
    (hold,) = holds.hold(lot_ids=[shaft.pk], reason="soft", by=ada, now=later(21))
    report(operation, 2, ada, later(22))
    for code in ("M-1", "M-2"):
        consumption.scan(operation=operation, code=code, by=ada, now=later(23))
    with pytest.raises(execution.CannotFinish, match=r"has used what is on hold: .* \(soft\)"):
        execution.finish(operation=operation, by=ada, now=later(24))
    holds.release(hold_ids=[hold], reason="hard enough", by=ada, now=later(25))
    execution.finish(operation=operation, by=ada, now=later(26))
    motor = SerialUnit.objects.get(number="M-1")
    (hold,) = holds.hold(unit_ids=[motor.pk], reason="noise", by=ada, now=later(27))
    with pytest.raises(execution.CannotStart, match="M-1"):
        start(plant, "PUMP", ada, number=1, now=later(30))
    holds.release(hold_ids=[hold], reason="quiet", by=ada, now=later(31))
    operation = start(plant, "PUMP", ada, number=1, now=later(32))
    holds.hold(unit_ids=[motor.pk], reason="noise again", by=ada, now=later(33))
    with pytest.raises(execution.CannotReport, match="M-1"):
        report(operation, 2, ada, later(34))
    # What cannot be used can be scrapped.
    report(operation, 0, ada, later(35), scrap=Decimal(2), reason="noise")


def rows_read(act, *asked):
    """How many rows an act reads of reports, moves, answers and links."""
    count = 0

    def tell(execute, sql, params, many, context):
        nonlocal count
        done = execute(sql, params, many, context)
        tables = ("mes_operationreport", "erp_stockmove", "mes_checkresult", "traceability_link")
        if sql.lstrip().startswith(("SELECT", "WITH")) and any(name in sql for name in tables):
            count += context["cursor"].rowcount
        return done

    with connection.execute_wrapper(tell):
        act(*asked)
    return count


def test_of_an_order_of_many_reports_each_reads_what_its_own_pieces_need(plant, ada):
    many = 12
    motors = [f"S-{number}" for number in range(many)]
    receive(plant, "MOTOR", many, serials=motors)
    shafts(plant, many, ada)
    first = start(plant, "PUMP", ada, now=later(20))
    for number, motor in enumerate(motors):
        torque = Decimal("2.3") + Decimal(number) / 100
        checks.record(check=first.checks.get(), value=torque, by=ada, now=later(30 + number))
        consumption.scan(operation=first, code=motor, by=ada, now=later(30 + number))
        report(first, 1, ada, later(30 + number))
    execution.finish(operation=first, by=ada, now=later(60))
    last = start(plant, "PUMP", ada, number=1, unit=1, now=later(70))
    read = [rows_read(report, last, 1, ada, later(80 + number)) for number in range(many)]
    # The last one ends the planned quantity and serves who waits for it.
    assert max(read[1:-1]) <= read[1], read
    for number, pump in enumerate(SerialUnit.objects.filter(item__code="PUMP").order_by("pk")):
        inside = numbers(selectors.above([pump.pk]))
        assert inside & {f"S-{n}" for n in range(many)} == {f"S-{number}"}
        told = selectors.readings_of([pump.pk])
        assert [row.value for row in told if row.value] == [Decimal("2.3") + Decimal(number) / 100]
        passed = [row.at for row in told if row.parameter_id is None]
        assert passed == [later(30 + number), later(80 + number)]


def test_the_statements_do_not_grow_with_the_pieces(plant, ada):
    def statements(code, pieces):
        plant.make(code, {"BAR": "0.001"}, tracking=Tracking.SERIAL)
        plant.plan(plant.need(code, pieces))
        operation = start(plant, code, ada)
        with CaptureQueriesContext(connection) as caught:
            report(operation, pieces, ada, later(5))
        execution.finish(operation=operation, by=ada, now=later(6))
        return len(caught)

    statements("RIVET", 2)  # Reads what is kept in memory from then on.
    few = statements("KEY", 3)
    # The planner's statistics may be asked for once, after many rows.
    assert statements("PIN", 300) <= few + 2
