"""What was made before the demo begins: drives of two steel lots, which five customers have.

Taken over from the records of another system, as a factory would that starts with this one: so
many orders are in the genealogy ledger, and no work order or shipment of ours is behind them. The
lot is RM-2605-09; the drive of the complaint, 123456, is made of it later, by the story. Between
its batches others were made of the rest of an older lot: about those nobody complains, so that what
the failed drives share stands out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from common.enums import Role
from common.models import User
from erp.services import purchasing
from masterdata import selectors as masterdata
from traceability import selectors as traceability
from traceability.enums import DocumentKind, EventKind, IdentityState, Verdict
from traceability.services import documents, genealogy, identities, parameters
from traceability.services.documents import Paper
from traceability.services.genealogy import Built, Fact, Handover, Loaded, NewReading, Station
from traceability.services.identities import NewLot, Origin
from traceability.services.parameters import NewParameter

if TYPE_CHECKING:
    from mes.models import WorkOrderOperation

STEEL_LOT, SUPPLIER_LOT, CERTIFICATE = "RM-2605-09", "H-88121", "EN 10204 3.1 Z-4711"
OLDER_LOT, OLDER_SUPPLIER_LOT, OLDER_CERTIFICATE = "RM-2604-22", "H-87940", "EN 10204 3.1 Z-4655"
# Metres of the steel lot that are here when the story begins, and metres in a drive.
STEEL_HERE, STEEL_PER_DRIVE = Decimal(80), Decimal("0.25")
# Customer, drives, and the number of the customer's order.
DELIVERED = (
    ("CUST-B", 620, "B-3007"),
    ("CUST-C", 410, "NW-2102"),
    ("CUST-E", 540, "JN-0398"),
    ("CUST-H", 380, "OW-067"),
    ("CUST-L", 450, "YV-498"),
)
# Only of the older lot.
LAST = ("CUST-H", 0, "OW-071")
# Drives of the older lot before each of these batches and after the last one.
BETWEEN = 110
FIRST_SERIAL, FIRST_OF_STORY = 120_001, 123_450
LOWER, UPPER = Decimal("2.2"), Decimal("2.6")
ONE = Decimal(1)


def serials_for(operation: "WorkOrderOperation", quantity: Decimal) -> list[str]:
    """The next serial numbers for drives that come out of their last operation."""
    if operation.work_order.item.code != "DRIVE-S1" or operation.sequence != 20:
        return []
    first = FIRST_OF_STORY
    while traceability.units_named(str(first)).exists():
        first += 1
    return [str(first + number) for number in range(int(quantity))]


def tell(*, users: Mapping[str, User], site_id: int, now: datetime) -> None:
    """The steel is delivered; drives made of it in the months before went to five customers."""
    started = now - timedelta(days=95)
    bad = _steel(site_id, users[Role.PURCHASING], users[Role.WAREHOUSE], started)
    good = _older_steel(started)
    numbers = FIRST_SERIAL
    days = 2
    for place, (customer, count, reference) in enumerate((*DELIVERED, LAST)):
        name = f"{place + 1:02}"
        for steel, quantity, number, order, gap in (
            (good, BETWEEN, f"WO-G{name}", f"{reference}-0", 2),
            (bad, count, f"WO-H{name}", reference, 3),
        ):
            batch = _Batch(
                number=number,
                serials=[str(numbers + step) for step in range(quantity)],
                order_number=order,
                customer=customer,
                starts_at=started + timedelta(days=days),
                site_id=site_id,
                by=users[Role.OPERATOR],
                steel=steel,
            )
            days += gap
            numbers += quantity
            if quantity:
                _make_and_ship(batch)
    for state in (IdentityState.AVAILABLE, IdentityState.CONSUMED):
        identities.move(state=state, lot_ids=[good.lot])


@dataclass(frozen=True)
class _Steel:
    """A lot of bars, and the paper that what was used of it came with."""

    lot: int
    delivery: str
    certificate: str


@dataclass(frozen=True)
class _Batch:
    """So many drives for one customer, with the shafts that were made for them."""

    number: str
    serials: list[str]
    order_number: str
    customer: str
    starts_at: datetime
    site_id: int
    by: User
    steel: _Steel

    def fact(self, kind: EventKind, hours: int, operation: int | None = None) -> Fact:
        return Fact(
            kind=kind,
            at=self.starts_at + timedelta(hours=hours),
            site_id=self.site_id,
            by_id=self.by.pk,
            reference=self.number,
            operation=operation,
        )


def _older_steel(at: datetime) -> _Steel:
    """A lot of which nothing is left."""
    supplier = masterdata.supplier_by_code("SUP-STEEL")
    origin = Origin(supplier.pk, OLDER_SUPPLIER_LOT)
    lot = identities.register_lot(item_id=_item("BAR-20"), new=NewLot(OLDER_LOT, origin), now=at)
    return _Steel(lot.pk, "DN-26042203", OLDER_CERTIFICATE)


def _steel(site_id: int, buyer: User, store: User, at: datetime) -> _Steel:
    """What is left of the lot comes by a purchase order; what is gone is told with its use."""
    order = purchasing.order(
        supplier_code="SUP-STEEL",
        site_id=site_id,
        lines=[purchasing.NewLine("BAR-20", STEEL_HERE, at.date())],
        by=buyer,
        now=at - timedelta(days=9),
    )
    purchasing.receive_line(
        line=order.lines.get(),
        quantity=STEEL_HERE,
        reference="DN-26050917",
        labels=purchasing.Labels(
            lot_number=STEEL_LOT, supplier_lot=SUPPLIER_LOT, certificate=CERTIFICATE
        ),
        by=store,
        now=at,
    )
    lot = traceability.lots_named(STEEL_LOT).get()
    return _Steel(lot.pk, "DN-26050911", CERTIFICATE)


def _make_and_ship(batch: _Batch) -> None:
    shafts = _shafts(batch)
    _hand(batch, EventKind.ISSUE, 20, _work_order(batch), {shafts: Decimal(len(batch.serials))})
    drives = identities.register_units(
        item_id=_item("DRIVE-S1"), numbers=batch.serials, now=batch.starts_at + timedelta(hours=30)
    )
    _hand(batch, EventKind.RECEIPT, 30, _work_order(batch), dict.fromkeys(drives, ONE))
    genealogy.build(
        fact=batch.fact(EventKind.BUILD, 30, operation=20),
        outputs=[Built(drive) for drive in drives],
        loaded=[Loaded(shafts, ONE)],
        readings=_readings(batch, drives),
    )
    customer = masterdata.customer_by_code(batch.customer)
    assert customer is not None  # noqa: S101 - the demo's own table
    shipment = Paper(
        kind=DocumentKind.SHIPMENT,
        number=batch.number.replace("WO", "SH"),
        order_number=batch.order_number,
        customer_id=customer.pk,
    )
    _hand(batch, EventKind.SHIPMENT, 54, shipment, dict.fromkeys(drives, ONE))
    for state in (IdentityState.AVAILABLE, IdentityState.SHIPPED):
        identities.move(state=state, unit_ids=drives)


def _shafts(batch: _Batch) -> int:
    """A lot of shafts, one for each drive, all of the steel lot, all of it used."""
    steel = batch.steel.lot
    count = Decimal(len(batch.serials))
    metres = count * STEEL_PER_DRIVE
    at = batch.starts_at
    shafts = identities.register_lot(
        item_id=_item("SHAFT-S1"), new=NewLot(batch.number.replace("WO", "SF"), Origin()), now=at
    ).pk
    delivery = Paper(
        kind=DocumentKind.RECEIPT,
        number=batch.steel.delivery,
        supplier_id=masterdata.supplier_by_code("SUP-STEEL").pk,
        certificate=batch.steel.certificate,
    )
    _hand(batch, EventKind.RECEIPT, 0, delivery, {steel: metres})
    _hand(batch, EventKind.ISSUE, 1, _work_order(batch), {steel: metres})
    genealogy.build(
        fact=batch.fact(EventKind.BUILD, 12, operation=20),
        outputs=[Built(shafts, count)],
        loaded=[Loaded(steel, STEEL_PER_DRIVE)],
        readings=[
            NewReading(
                shafts,
                operator_id=batch.by.pk,
                at=at + timedelta(hours=hours),
                station=Station(operation, _unit(code)),
            )
            for operation, code, hours in ((10, "TURN-01", 6), (20, "GRIND-01", 12))
        ],
    )
    _hand(batch, EventKind.RECEIPT, 13, _work_order(batch), {shafts: count})
    for state in (IdentityState.AVAILABLE, IdentityState.CONSUMED):
        identities.move(state=state, lot_ids=[shafts])
    return shafts


def _readings(batch: _Batch, drives: list[int]) -> list[NewReading]:
    """Each drive passed assembly and final inspection; its torque and its inspection were noted."""
    known = parameters.put(
        [
            NewParameter("torque", "Screws M6 tightened", "M6 螺钉紧固扭矩", "N·m"),
            NewParameter("final_inspection", "Final inspection passed", "终检合格"),
        ]
    )
    program = "TIGHTEN-M6 v3"
    assembly = [Station(10, _unit(code), program=program) for code in ("ASM-01", "ASM-02")]
    inspection = Station(20, _unit("TEST-01"))
    start, minute = batch.starts_at + timedelta(hours=20), timedelta(minutes=1)
    found = []
    for number, drive in enumerate(drives):
        who, where = batch.by.pk, assembly[number % 2]
        at = start + number * minute
        torque = Decimal("2.32") + Decimal(number * 7 % 17) / 100
        found += [
            NewReading(drive, operator_id=who, at=at, station=where),
            NewReading(
                drive,
                operator_id=who,
                at=at,
                station=where,
                parameter_id=known["torque"],
                value=torque,
                lower=LOWER,
                upper=UPPER,
                verdict=Verdict.PASS.value,
            ),
            NewReading(
                drive,
                operator_id=who,
                at=at + 30 * minute,
                station=inspection,
                parameter_id=known["final_inspection"],
                verdict=Verdict.PASS.value,
            ),
        ]
    return found


def _hand(
    batch: _Batch, kind: EventKind, hours: int, paper: Paper, things: Mapping[int, Decimal]
) -> None:
    fact = batch.fact(kind, hours)
    document = documents.put(paper, at=fact.at)
    genealogy.hand_over(
        fact=fact, handovers=[Handover(thing, document, share) for thing, share in things.items()]
    )


def _work_order(batch: _Batch) -> Paper:
    return Paper(kind=DocumentKind.WORK_ORDER, number=batch.number)


def _item(code: str) -> int:
    found = masterdata.item_by_code(code)
    assert found is not None  # noqa: S101 - the demo's own table
    return found.pk


def _unit(code: str) -> int:
    found = masterdata.work_unit_by_code(code)
    assert found is not None  # noqa: S101 - the demo's own table
    return found.pk
