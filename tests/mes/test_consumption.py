"""What goes into a work order by scan or with its pieces, and serial numbers that come out."""

from datetime import date
from decimal import Decimal

import pytest

from erp.enums import MoveKind
from erp.models import Reservation, StockBalance, StockMove
from erp.services import holds, moving, reservations, stock
from erp.services.issuing import CannotIssue
from mes.services import consumption, execution, undoing
from tests.factories import UserFactory
from tests.mes.factories import NOW, Plant
from tests.shared import shared
from traceability import selectors as traceability
from traceability.services.identities import Origin

pytestmark = pytest.mark.django_db


@pytest.fixture
def chief():
    return UserFactory(username="chief", roles=["supervisor"])


@shared()
def plant():
    """PUMP takes a SEAL (by lot, scanned), a MOTOR (by serial number, scanned) and 2 BOLTs."""
    plant = Plant()
    plant.buy("SEAL", tracking="lot", issue_method="scan")
    plant.buy("MOTOR", tracking="serial", issue_method="scan")
    plant.buy("BOLT", issue_method="backflush")
    plant.buy("OTHER", tracking="lot")
    plant.make("PUMP", {"SEAL": 1, "MOTOR": 1, "BOLT": 2}, tracking="serial")
    receive(plant, "SEAL", 1, lot_number="S-1")
    receive(plant, "SEAL", 3, lot_number="S-2")
    receive(plant, "SEAL", 1, lot_number="S-OLD", origin=Origin(expires_on=date(2026, 11, 24)))
    receive(plant, "MOTOR", 3, serials=["M-1", "M-2", "M-3"])
    receive(plant, "BOLT", 10)
    receive(plant, "OTHER", 1, lot_number="O-1")
    plant.need_ = plant.need("PUMP", 2)
    plant.plan(plant.need_)
    return plant


def receive(plant, code, quantity, **kwargs):
    stock.receive(
        item_id=plant.items[code].pk,
        site_id=plant.site.pk,
        quantity=Decimal(quantity),
        kind=MoveKind.RECEIPT,
        reference="PO-1",
        by=None,
        now=NOW,
        **kwargs,
    )


@pytest.fixture
def running(plant, chief):
    operation = plant.orders("PUMP")[0].operations.get()
    return execution.start(operation=operation, work_unit_id=plant.units[0].pk, by=chief, now=NOW)


def scan(operation, code, by, now=NOW):
    return consumption.scan(operation=operation, code=code, by=by, now=now)


def issued(plant):
    return {
        line.item.code: line.requirement.issued
        for line in plant.orders("PUMP")[0].materials.select_related("item", "requirement")
    }


def test_only_what_is_issued_at_the_start_leaves_then(plant, running):
    assert issued(plant) == {"SEAL": 0, "MOTOR": 0, "BOLT": 0}
    methods = plant.orders("PUMP")[0].materials.values_list("item__code", "issue_method")
    assert dict(methods) == {"SEAL": "scan", "MOTOR": "scan", "BOLT": "backflush"}


def test_lots_and_units_are_scanned_in_until_all_is_there(plant, running, chief):
    assert "1 of SEAL taken from S-1" in scan(running, "s-1", chief)
    # As our label says it.
    assert "1 of SEAL taken from S-2" in scan(running, "https://mill.example/id/10/S-2", chief)
    with pytest.raises(consumption.CannotScan, match="All 2 of SEAL are in already"):
        scan(running, "S-2", chief)
    assert "1 of MOTOR taken from M-2" in scan(running, "M-2", chief)
    execution.report(operation=running, good=Decimal(2), by=chief, now=NOW)
    assert issued(plant) == {"SEAL": 2, "MOTOR": 1, "BOLT": 4}
    with pytest.raises(execution.CannotFinish, match="MOTOR: 1 of 2 scanned"):
        execution.finish(operation=running, by=chief, now=NOW)
    scan(running, "M-1", chief)
    assert execution.finish(operation=running, by=chief, now=NOW).state == "done"
    move = StockMove.objects.get(kind=MoveKind.ISSUE, unit__number="M-1")
    assert move.reference == plant.orders("PUMP")[0].number


@pytest.mark.parametrize(
    ("code", "sentence", "todo"),
    [
        ("O-1", "O-1 is OTHER, which does not go into this job", "needs SEAL, MOTOR"),
        ("nonsense", "nonsense is not known here", "needs SEAL, MOTOR"),
    ],
)
def test_the_wrong_thing_is_refused_with_what_to_do(running, chief, code, sentence, todo):
    with pytest.raises(consumption.CannotScan, match=sentence) as refused:
        scan(running, code, chief)
    assert todo in refused.value.todo


def test_what_is_expired_or_on_hold_or_used_is_refused(plant, running, chief):
    later = NOW.replace(day=25)
    with pytest.raises(CannotIssue, match="S-OLD expired on 2026-11-24"):
        scan(running, "S-OLD", chief, now=later)
    lot = traceability.lot_of(item_id=plant.items["SEAL"].pk, number="S-2")
    holds.hold(lot_ids=[lot.pk], reason="cracks", by=chief, now=NOW)
    with pytest.raises(CannotIssue, match="S-2 is on hold"):
        scan(running, "S-2", chief)
    scan(running, "M-1", chief)
    with pytest.raises(CannotIssue):
        scan(running, "M-1", chief)
    assert issued(plant)["MOTOR"] == 1


def test_what_a_short_work_order_did_not_use_is_free(plant, running, chief):
    scan(running, "S-1", chief)
    scan(running, "M-1", chief)
    execution.report(operation=running, good=Decimal(1), by=chief, now=NOW)
    scan(running, "S-2", chief)
    scan(running, "M-2", chief)
    execution.finish(operation=running, short_close=True, reason="lost", by=chief, now=NOW)
    order = plant.orders("PUMP")[0]
    assert order.state == "completed"
    lines = order.materials.values_list("requirement_id", flat=True)
    assert not Reservation.objects.filter(requirement__in=lines).exists()


def test_a_report_taken_back_puts_its_material_and_its_units_back(plant, running, chief):
    execution.report(operation=running, good=Decimal(2), serials=["P-1", "P-2"], by=chief, now=NOW)
    assert StockBalance.objects.get(item=plant.items["PUMP"]).on_hand == 2
    undoing.undo(report=running.reports.get(), by=chief, now=NOW)
    assert issued(plant)["BOLT"] == 0
    assert StockBalance.objects.get(item=plant.items["BOLT"]).on_hand == 10
    assert StockBalance.objects.get(item=plant.items["PUMP"]).on_hand == 0
    unit = traceability.unit_of(item_id=plant.items["PUMP"].pk, number="P-1")
    assert unit.state == "scrapped"


def test_over_http_scans_say_what_happened(plant, running, client_for):
    operator = client_for("operator")

    def post(code):
        data = {"code": code, "operation": running.pk, "unit": plant.units[0].code}
        return operator.post("/floor/terminal/scan/", data).json()

    assert post("S-1")["said"] == "1 of SEAL taken from S-1"
    assert "does not go into this job" in post("O-1")["refused"]
    # A number nobody knows is the piece that was just made: it goes into stock with it.
    assert post("P-77") == post("https://mill.example/id/21/P-77") == {"serial": "P-77"}
    page = operator.get(f"/floor/terminal/?unit={plant.units[0].code}").content.decode()
    assert "term-parts" in page


def test_a_scan_takes_what_the_lot_has_for_this_job_and_leaves_what_others_staged(
    plant, running, chief
):
    line = plant.orders("PUMP")[0].materials.select_related("requirement").get(item__code="SEAL")
    other = plant.need("SEAL", 2)
    reservations.reserve({other.pk: Decimal(2)})
    lot = traceability.lots_named("S-2").get()
    for requirement, quantity in ((line.requirement, 1), (other, 2)):
        moving.stage(
            requirement_id=requirement.pk,
            quantity=Decimal(quantity),
            lot_id=lot.pk,
            by=chief,
            now=NOW,
        )
    assert scan(running, "S-2", chief) == "1 of SEAL taken from S-2"
    with pytest.raises(CannotIssue, match="missing there"):
        scan(running, "S-2", chief)
    assert issued(plant)["SEAL"] == 1


def test_scrap_taken_back_puts_its_material_back_at_any_operation(plant, chief):
    plant.make("ARM", {"BOLT": 1}, steps=2)
    plant.plan(plant.need("ARM", 5))
    operation = plant.orders("ARM")[0].operations.get(sequence=10)
    execution.start(operation=operation, work_unit_id=plant.units[0].pk, by=chief, now=NOW)
    execution.report(operation=operation, good=Decimal(1), scrap=Decimal(3), by=chief, now=NOW)
    bolts = plant.orders("ARM")[0].materials.get().requirement
    assert bolts.issued == 3
    undoing.undo(report=operation.reports.get(), by=chief, now=NOW)
    bolts.refresh_from_db()
    assert bolts.issued == 0
    assert StockBalance.objects.get(item=plant.items["BOLT"]).on_hand == 10
