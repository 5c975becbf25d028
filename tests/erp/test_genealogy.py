"""What comes into the store and leaves it is in the genealogy ledger, with its paper."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from erp import selectors
from erp.enums import MoveKind
from erp.models import StockQuant
from erp.services import counts, holds, purchasing, reservations, returns, stock, transfers
from erp.services.moving import Where
from masterdata.enums import Supply, Tracking
from tests.erp.factories import PurchaseOrderFactory, PurchaseOrderLineFactory, RequirementFactory
from tests.erp.test_lots import place, receive
from tests.factories import UserFactory
from tests.masterdata.factories import CustomerFactory, ItemFactory, SiteFactory, SupplierFactory
from tests.traceability import ledger
from tests.traceability.factories import LotFactory
from traceability import selectors as traceability
from traceability.models import Custody, Document, Event, Lot, SerialUnit
from traceability.services import epcis, genealogy, identities

pytestmark = pytest.mark.django_db


@pytest.fixture
def motor():
    return ItemFactory(code="MOTOR", supply=Supply.BUY, tracking=Tracking.SERIAL)


def life(thing):
    """(event, document, number, quantity) by which it changed hands."""
    rows = traceability.custodies_of([thing.pk])
    events = traceability.events([row.event_id for row in rows])
    return [
        (events[row.event_id].kind, row.document.kind, row.document.number, row.quantity)
        for row in rows
    ]


def needed(item, site, quantity, **more):
    """A need that all that is free is kept for."""
    need = RequirementFactory(item=item, site=site, quantity=quantity, **more)
    reservations.give_free(site_id=site.pk, item_ids=[item.pk])
    return need


def ship(item, site, quantity, now, *, customer=None, order="SO-1", **more):
    need = needed(item, site, quantity)
    stock.issue(
        requirement_id=need.pk,
        quantity=Decimal(quantity),
        kind=MoveKind.SHIPMENT,
        reference="SH-1",
        paper=stock.Paper(order_number=order, customer_id=customer.pk if customer else None),
        by=None,
        now=now,
        **more,
    )


def test_a_delivery_names_supplier_lot_certificate_and_order(site, steel, now):
    line = PurchaseOrderLineFactory(
        order=PurchaseOrderFactory(site=site, number="PO-77"), item=steel, quantity=30
    )
    labels = purchasing.Labels(lot_number="RM-1", supplier_lot="H-88", certificate="3.1 Z-4711")
    came = {"by": None, "now": now}
    purchasing.receive_line(
        line=line, quantity=Decimal(10), reference="DN-5", labels=labels, **came
    )
    lot, paper = Lot.objects.get(), Document.objects.get()
    assert (lot.supplier, lot.supplier_lot) == (line.order.supplier, "H-88")
    assert (paper.number, paper.order_number) == ("DN-5", "PO-77")
    assert (paper.supplier, paper.certificate) == (line.order.supplier, "3.1 Z-4711")
    # A second certificate on the same note does not take the place of the first.
    again = purchasing.Labels(lot_number="RM-1", certificate="3.1 Z-4712")
    purchasing.receive_line(line=line, quantity=Decimal(5), reference="DN-5", labels=again, **came)
    paper.refresh_from_db()
    assert paper.certificate == "3.1 Z-4711; 3.1 Z-4712"
    purchasing.return_line(
        line=line,
        quantity=Decimal(4),
        reason="rust",
        replace=False,
        goods=purchasing.Goods(lot_number="RM-1"),
        **came,
    )
    assert life(lot) == [
        ("receipt", "receipt", "DN-5", 10),
        ("receipt", "receipt", "DN-5", 5),
        ("return", "to_supplier", "PO-77", 4),
    ]
    assert Document.objects.get(kind="to_supplier").supplier == line.order.supplier
    assert ledger.agrees_with_stock()


def test_a_lot_is_balanced_wherever_it_went(site, steel, now):
    other, customer = SiteFactory(), CustomerFactory()
    receive(steel, site, 100, now, lot_number="RM-1")
    lot = Lot.objects.get()
    need = needed(steel, site, 40, kind="component", reference="WO-1")
    act = {"by": None, "now": now}
    stock.issue(requirement_id=need.pk, quantity=Decimal(40), reference="WO-1", **act)
    returns.from_work_order(
        requirement_id=need.pk, quantity=Decimal(5), reference="WO-1", lot_id=lot.pk, **act
    )
    ship(steel, site, 20, now, customer=customer)
    returns.from_customer(
        item_id=steel.pk,
        site_id=site.pk,
        quantity=Decimal(3),
        lot_id=lot.pk,
        reference="RMA-1",
        customer_id=customer.pk,
        **act,
    )
    sent = transfers.draft(from_site_id=site.pk, to_site_id=other.pk, arrives_on=now.date(), **act)
    source = Where(place(site).pk, steel.pk, lot.pk)
    transfers.pack(transfer=sent, source=source, quantity=Decimal(10), **act)
    transfers.dispatch(transfer=sent, **act)
    (line,) = sent.lines.all()
    transfers.receive(transfer=sent, arrivals={line.pk: Decimal(7)}, **act)
    balance = selectors.lot_balance(lot.pk)
    assert (balance.received, balance.consumed, balance.shipped) == (100, 35, 17)
    assert (balance.in_transit, balance.on_hand, balance.difference) == (3, 45, 0)
    # Three never arrive, and two more are not found: that is the difference, and it is explained.
    transfers.close(transfer=sent, reason="lost", **act)
    stock.adjust(item_id=steel.pk, site_id=site.pk, quantity=Decimal(-2), reason="not found", **act)
    balance = selectors.lot_balance(lot.pk)
    assert (balance.in_transit, balance.on_hand) == (0, 43)
    assert (balance.difference, balance.counted, balance.unexplained) == (5, -5, 0)
    assert ledger.agrees_with_stock()


def test_a_shipment_says_who_has_the_units_and_a_return_that_they_came_back(site, motor, now):
    customer = CustomerFactory()
    receive(motor, site, 3, now, serials=["M-1", "M-2", "M-3"])
    first, second, third = SerialUnit.objects.order_by("pk")
    ship(motor, site, 2, now, customer=customer, order="SO-9", unit_ids=[first.pk, second.pk])
    first.refresh_from_db()
    assert (first.document.customer, first.document.order_number) == (customer, "SO-9")
    back = {
        "item_id": motor.pk,
        "site_id": site.pk,
        "reference": "RMA-1",
        "customer_id": customer.pk,
        "order_number": "SO-9",
        "by": None,
        "now": now,
    }
    with pytest.raises(returns.CannotReturn, match="M-3 of MOTOR is not with a customer"):
        returns.from_customer(quantity=Decimal(1), unit_ids=[third.pk], **back)
    returns.from_customer(quantity=Decimal(1), unit_ids=[first.pk], **back)
    assert life(first) == [
        ("receipt", "receipt", "DN-1", 1),
        ("shipment", "shipment", "SH-1", 1),
        ("return", "return", "RMA-1", 1),
    ]
    quant = StockQuant.objects.get(unit=first)
    assert (quant.bin.kind, quant.is_held) == ("quarantine", True)
    # It goes out again by another paper and comes back once more: all four are in its life, and
    # what it is made of is as it was.
    steel = LotFactory()
    loaded = [genealogy.Loaded(steel.pk, Decimal(1))]
    made = genealogy.Fact(kind="build", at=now, site_id=site.pk)
    genealogy.build(fact=made, outputs=[genealogy.Built(first.pk)], loaded=loaded)
    above = traceability.above([first.pk])
    assert steel.pk in above
    again = {key: back[key] for key in ("item_id", "site_id", "customer_id", "by", "now")}
    returns.back_to_customer(unit_ids=[first.pk], **{**again, "reference": "RMA-1"})
    first.refresh_from_db()
    assert (first.state, StockQuant.objects.filter(unit=first).exists()) == ("shipped", False)
    returns.from_customer(
        quantity=Decimal(1), unit_ids=[first.pk], **{**back, "reference": "RMA-2"}
    )
    told = [row[0] for row in life(first)]
    assert told == ["receipt", "shipment", "return", "shipment", "return"]
    assert traceability.above([first.pk]) == above
    with pytest.raises(returns.CannotReturn, match="is not with a customer"):
        returns.from_customer(quantity=Decimal(1), unit_ids=[first.pk], **back)
    assert ledger.agrees_with_stock()


def test_more_of_a_lot_than_was_shipped_does_not_come_back(site, steel, now):
    receive(steel, site, 10, now, lot_number="RM-1")
    lot = Lot.objects.get()
    ship(steel, site, 4, now)
    with pytest.raises(returns.CannotReturn, match="4 of it went there, not 5"):
        returns.from_customer(
            item_id=steel.pk,
            site_id=site.pk,
            quantity=Decimal(5),
            lot_id=lot.pk,
            reference="RMA-1",
            customer_id=CustomerFactory().pk,
            by=None,
            now=now,
        )


def test_a_count_that_finds_a_unit_elsewhere_moves_it_and_tells_nothing(site, motor, now):
    receive(motor, site, 1, now, serials=["M-1"])
    unit = SerialUnit.objects.get()
    told = Event.objects.count()
    session = counts.start(site_id=site.pk, title="", by=None, now=now)
    counts.enter(
        session=session,
        counted=Decimal(1),
        bin_id=place(site, "staging").pk,
        item_id=motor.pk,
        lot_id=None,
        unit_id=unit.pk,
        by=None,
        now=now,
    )
    session = counts.submit(session=session, by=None, now=now)
    if session.state == "submitted":
        counts.approve(session=session, by=UserFactory(), now=now)
    assert StockQuant.objects.get().bin.kind == "staging"
    assert Event.objects.count() == told


def test_what_has_no_number_is_nobodys_news(site, now):
    screw = ItemFactory(code="SCREW", supply=Supply.BUY)
    receive(screw, site, 100, now)
    assert not Event.objects.exists()


def test_what_the_store_refuses_is_not_in_the_ledger_either(site, steel, now):
    receive(steel, site, 5, now, lot_number="RM-1")
    with pytest.raises(stock.CannotIssue):
        ship(steel, site, 9, now)
    assert Custody.objects.count() == 1


def test_ten_thousand_units_are_as_many_statements_as_three(site, motor, now):
    def statements(numbers):
        with CaptureQueriesContext(connection) as caught:
            receive(motor, site, len(numbers), now, serials=numbers)
        return len(caught)

    receive(motor, site, 1, now, serials=["FIRST"])
    few = statements([f"A-{n}" for n in range(3)])
    assert statements([f"B-{n}" for n in range(10_000)]) == few
    assert Custody.objects.count() == 10_004
    assert ledger.agrees_with_stock()


def test_a_hold_on_what_is_used_up_is_kept_and_what_has_left_cannot_be_held(site, steel, now):
    receive(steel, site, 5, now, lot_number="RM-1")
    receive(steel, site, 5, now + timedelta(days=1), lot_number="RM-2")
    used, left = Lot.objects.order_by("pk")
    need = needed(steel, site, 5, kind="component", reference="WO-1")
    stock.issue(
        requirement_id=need.pk,
        quantity=Decimal(5),
        reference="WO-1",
        lot_id=used.pk,
        by=None,
        now=now,
    )
    (hold,) = holds.hold(lot_ids=[used.pk], reason="crack", by=None, now=now)
    used.refresh_from_db()
    assert used.state == "consumed"
    (part,) = selectors.held_in(reference="WO-1", site_id=site.pk)
    assert (part.number, part.reason) == ("RM-1", "crack")
    assert selectors.held_in(reference="WO-2", site_id=site.pk) == []
    holds.release(hold_ids=[hold], reason="tested", by=None, now=now)
    assert selectors.held_in(reference="WO-1", site_id=site.pk) == []
    ship(steel, site, 5, now)
    with pytest.raises(holds.CannotHold, match="RM-2 is not here any more"):
        holds.hold(lot_ids=[left.pk], reason="crack", by=None, now=now)


def test_what_its_supplier_told_of_before_it_came_is_received_under_its_number(
    site, steel, motor, now
):
    made_of = {"epcClass": f"urn:millstream:lot:{steel.code}:RM-7", "quantity": 2}
    told = {
        "type": "TransformationEvent",
        "eventID": "urn:uuid:1",
        "eventTime": (now - timedelta(days=3)).isoformat(),
        "inputQuantityList": [made_of],
        "outputEPCList": [f"urn:millstream:unit:{motor.code}:M-{n}" for n in (1, 2)],
    }
    document = {"epcisBody": {"eventList": [told]}}
    epcis.read(document, site_id=site.pk, by=None)
    lot, unit = Lot.objects.get(), SerialUnit.objects.get(number="M-1")
    # Without a supplier it is somebody else's: a work order or a count cannot have made it.
    with pytest.raises(identities.CannotRegister, match="M-1 was given before"):
        receive(motor, site, 1, now, serials=["M-1"])
    supplier = SupplierFactory()
    origin = stock.Origin(supplier.pk, "H-7")
    receive(motor, site, 1, now, serials=["m 1"], origin=origin)
    receive(steel, site, 5, now, lot_number="RM-7", origin=origin)
    for thing in (lot, unit):
        thing.refresh_from_db()
        assert (thing.state, thing.supplier, thing.supplier_lot) == ("available", supplier, "H-7")
    assert lot.pk in traceability.above([unit.pk])
    # Then it is here, and comes no second time.
    with pytest.raises(identities.CannotRegister, match="M-1 was given before"):
        receive(motor, site, 1, now, serials=["M-1"], origin=origin)
    with pytest.raises(identities.CannotRegister, match="another supplier lot"):
        receive(steel, site, 5, now, lot_number="RM-7", origin=stock.Origin(supplier.pk, "H-8"))
    assert ledger.agrees_with_stock()
