"""Goods go to another site: packed, under way, received in parts, with their value."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.db.models import F, Sum

from common.models import Event
from erp import mrp, selectors
from erp.enums import BinKind, MoveKind, SupplyKind
from erp.models import (
    Reservation,
    StockBalance,
    StockMove,
    StockTransfer,
    Supply,
    TransferLine,
)
from erp.services import holds, stock, transfers
from erp.services.moving import Where
from masterdata.enums import Supply as ItemSupply
from masterdata.enums import Tracking
from masterdata.models import ExchangeRate
from masterdata.selectors import NoExchangeRate
from tests.erp.factories import RequirementFactory
from tests.erp.test_lots import books_agree, place
from tests.masterdata.factories import ExchangeRateFactory, ItemFactory, SiteFactory
from traceability.enums import IdentityState
from traceability.models import Hold, Lot, SerialUnit

pytestmark = pytest.mark.django_db
FRIDAY = date(2026, 11, 27)


@pytest.fixture
def here(db):
    return SiteFactory(code="HERE", time_zone="UTC")


@pytest.fixture
def there(db):
    return SiteFactory(code="THERE", time_zone="UTC")


@pytest.fixture
def bolt(db):
    return ItemFactory(code="BOLT", supply=ItemSupply.BUY, standard_cost=9)


@pytest.fixture
def steel(db):
    return ItemFactory(code="BAR", supply=ItemSupply.BUY, tracking=Tracking.LOT)


@pytest.fixture
def motor(db):
    return ItemFactory(code="MOTOR", supply=ItemSupply.BUY, tracking=Tracking.SERIAL)


def receive(item, site, quantity, now, **more):
    more = {"kind": MoveKind.RECEIPT, "reference": "DN-1"} | more
    return stock.receive(
        item_id=item.pk, site_id=site.pk, quantity=Decimal(quantity), by=None, now=now, **more
    )


def packed(here, there, now, *goods):
    """A consignment of (item, quantity, lot id, unit ids) from the storage."""
    transfer = transfers.draft(
        from_site_id=here.pk, to_site_id=there.pk, arrives_on=FRIDAY, by=None, now=now
    )
    for item, quantity, lot_id, unit_ids in goods:
        transfers.pack(
            transfer=transfer,
            source=Where(place(here).pk, item.pk, lot_id, unit_ids),
            quantity=Decimal(quantity),
            by=None,
            now=now,
        )
    return transfer


def sent(here, there, now, *goods):
    return transfers.dispatch(transfer=packed(here, there, now, *goods), by=None, now=now)


def arrive(transfer, now, **quantities):
    """So much of the items of these codes arrives."""
    lines = {line.item.code: line.pk for line in transfer.lines.all()}
    arrivals = {lines[code]: Decimal(quantity) for code, quantity in quantities.items()}
    return transfers.receive(transfer=transfer, arrivals=arrivals, by=None, now=now)


def on_hand(item, site):
    return StockBalance.objects.filter(item=item, site=site).values_list("on_hand", flat=True)[0]


def conserved():
    """Whatever was sent is received, missing or under way; the moves say the same."""
    for transfer in StockTransfer.objects.all():
        moves = StockMove.objects.filter(document=transfer.number)
        out = -(moves.filter(kind=MoveKind.DISPATCH).aggregate(s=Sum("quantity"))["s"] or 0)
        back = moves.filter(kind=MoveKind.ARRIVAL).aggregate(s=Sum("quantity"))["s"] or 0
        lines = transfer.lines.aggregate(
            sent=Sum("quantity"), came=Sum("received"), lost=Sum("missing")
        )
        if transfer.state in ("in_transit", "partly_received", "received"):
            assert out == lines["sent"]
            assert back == lines["came"]
        under_way = (
            transfer.lines.aggregate(s=Sum(F("quantity") - F("received") - F("missing")))["s"]
            if transfer.state in ("in_transit", "partly_received")
            else 0
        )
        coming = Supply.objects.filter(kind=SupplyKind.TRANSFER, reference=transfer.number)
        assert (coming.aggregate(s=Sum("quantity"))["s"] or 0) == under_way
    return books_agree()


def test_what_is_under_way_is_at_neither_site_and_planned_with_at_the_other(here, there, bolt, now):
    receive(bolt, here, 10, now)
    need = RequirementFactory(item=bolt, site=there, quantity=6)
    transfer = packed(here, there, now, (bolt, 6, None, []))
    # Packing moves nothing.
    assert on_hand(bolt, here) == 10
    transfers.dispatch(transfer=transfer, by=None, now=now)
    assert on_hand(bolt, here) == 4
    coming = Supply.objects.get()
    assert (coming.kind, coming.site, coming.quantity) == (SupplyKind.TRANSFER, there, 6)
    assert selectors.in_transit(item_id=bolt.pk, site_id=there.pk) == 6
    assert selectors.material_dates(site_id=there.pk, now=now)[need.pk].reference == transfer.number
    reading = selectors.read_situation(site_id=there.pk, today=now.date(), zone=now.tzinfo)
    plan = mrp.run(reading.situation)
    assert (plan.orders, plan.messages) == ([], [])
    assert Event.objects.filter(topic="erp.transfers.changed", payload__site_id=there.pk).exists()
    arrive(transfer, now, BOLT=6)
    assert not Supply.objects.exists()
    assert Reservation.objects.get(requirement=need).quantity == 6
    assert (transfer.lines.get().received, on_hand(bolt, there)) == (6, 6)
    assert conserved()


def test_planning_counts_on_made_goods_under_way_and_proposes_the_rest_only(here, there, now):
    gear = ItemFactory(code="GEAR", supply=ItemSupply.MAKE)
    receive(gear, here, 10, now)
    RequirementFactory(item=gear, site=there, quantity=6)

    def proposed():
        reading = selectors.read_situation(site_id=there.pk, today=now.date(), zone=now.tzinfo)
        return [(order.item_id, order.quantity) for order in mrp.run(reading.situation).orders]

    # The control: nothing is under way yet.
    assert proposed() == [(gear.pk, 6)]
    transfer = sent(here, there, now, (gear, 4, None, []))
    assert proposed() == [(gear.pk, 2)]
    transfers.cancel(transfer=transfer, reason="wrong lorry", by=None, now=now)
    assert proposed() == [(gear.pk, 6)]
    transfer = sent(here, there, now, (gear, 6, None, []))
    assert proposed() == []
    arrive(transfer, now, GEAR=5)
    transfers.close(transfer=transfer, reason="lost", by=None, now=now)
    assert proposed() == [(gear.pk, 1)]
    assert conserved()


def test_it_arrives_in_parts_and_the_rest_is_missing_with_a_reason(here, there, bolt, now):
    receive(bolt, here, 10, now)
    transfer = sent(here, there, now, (bolt, 10, None, []))
    arrive(transfer, now, BOLT=4)
    transfer.refresh_from_db()
    assert (transfer.state, Supply.objects.get().quantity) == ("partly_received", 6)
    with pytest.raises(transfers.CannotTransfer, match="6 of BOLT is under way, not 7"):
        arrive(transfer, now, BOLT=7)
    with pytest.raises(transfers.CannotTransfer, match="Say why less arrived"):
        transfers.close(transfer=transfer, reason=" ", by=None, now=now)
    arrive(transfer, now, BOLT=5)
    transfers.close(transfer=transfer, reason="fell off the lorry", by=None, now=now)
    transfer.refresh_from_db()
    line = transfer.lines.get()
    assert (transfer.state, line.received, line.missing) == ("received", 9, 1)
    assert transfer.difference_reason == "fell off the lorry"
    assert not Supply.objects.exists()
    with pytest.raises(transfers.CannotTransfer, match="nothing is to arrive"):
        arrive(transfer, now, BOLT=1)
    assert conserved()


def test_the_value_travels_with_the_goods(here, there, bolt, now):
    receive(bolt, here, 10, now, price=Decimal(4))
    receive(bolt, there, 10, now, price=Decimal(2))
    transfer = sent(here, there, now, (bolt, 10, None, []))
    assert transfer.lines.get().unit_cost == 4
    # What it costs here meanwhile is no matter.
    receive(bolt, here, 10, now, price=Decimal(50))
    arrive(transfer, now, BOLT=10)
    assert selectors.average_costs([bolt.pk], site_id=there.pk) == {bolt.pk: 3}
    # Called back, it comes at the value it left with.
    transfer = sent(here, there, now, (bolt, 5, None, []))
    transfers.cancel(transfer=transfer, reason="wrong lorry", by=None, now=now)
    assert selectors.average_costs([bolt.pk], site_id=here.pk) == {bolt.pk: 50}
    assert conserved()


def test_into_other_money_the_value_travels_at_the_rate_of_the_day_it_arrives(here, bolt, now):
    abroad = SiteFactory(currency="XTS", time_zone="UTC")
    receive(bolt, here, 20, now, price=Decimal(4))
    receive(bolt, abroad, 10, now, price=Decimal(2))
    transfer = sent(here, abroad, now, (bolt, 20, None, []))
    with pytest.raises(NoExchangeRate, match=f"from {here.currency} to XTS"):
        arrive(transfer, now, BOLT=10)
    assert on_hand(bolt, abroad) == 10
    ExchangeRateFactory(source=here.currency, target="XTS", rate=2)
    tomorrow = now + timedelta(days=1)
    ExchangeRateFactory(source=here.currency, target="XTS", rate=4, valid_from=tomorrow.date())
    # Ten at 2 and ten at 4 × 2; then ten more at 4 × 4.
    arrive(transfer, now, BOLT=10)
    assert selectors.average_costs([bolt.pk], site_id=abroad.pk) == {bolt.pk: 5}
    arrive(transfer, tomorrow, BOLT=10)
    found = selectors.average_costs([bolt.pk], site_id=abroad.pk)[bolt.pk]
    assert round(found, 4) == Decimal("8.6667")
    # What is called back comes home in its own money and asks for no rate.
    ExchangeRate.objects.all().delete()
    receive(bolt, here, 5, now, price=Decimal(4))
    transfers.cancel(
        transfer=sent(here, abroad, now, (bolt, 5, None, [])), reason="no", by=None, now=now
    )
    assert selectors.average_costs([bolt.pk], site_id=here.pk) == {bolt.pk: 4}
    assert conserved()


def test_only_what_is_free_and_usable_leaves(here, there, bolt, steel, now):
    receive(bolt, here, 10, now)
    RequirementFactory(item=bolt, site=here, quantity=7)
    from erp.services import reservations

    reservations.give_free(site_id=here.pk, item_ids=[bolt.pk])
    transfer = packed(here, there, now, (bolt, 4, None, []))
    with pytest.raises(transfers.CannotTransfer, match="Only 3 of BOLT is free to leave"):
        transfers.dispatch(transfer=transfer, by=None, now=now)
    receive(steel, here, 5, now, lot_number="L-1")
    lot = Lot.objects.get()
    transfer = packed(here, there, now, (steel, 5, lot.pk, []))
    holds.hold(lot_ids=[lot.pk], reason="crack", by=None, now=now)
    with pytest.raises(transfers.CannotTransfer, match="BAR L-1 is held: it stays"):
        transfers.dispatch(transfer=transfer, by=None, now=now)
    with pytest.raises(transfers.CannotTransfer, match="is held"):
        packed(here, there, now, (steel, 1, lot.pk, []))
    with pytest.raises(transfers.CannotTransfer, match="Pack something first"):
        sent(here, there, now)
    with pytest.raises(transfers.CannotTransfer, match="another site than"):
        packed(here, here, now)
    assert conserved()


def test_lots_and_units_are_in_transit_and_a_hold_finds_them_there(here, there, steel, motor, now):
    receive(steel, here, 5, now, lot_number="L-1")
    receive(motor, here, 3, now, serials=["M-1", "M-2", "M-3"])
    lot, units = Lot.objects.get(), list(SerialUnit.objects.order_by("pk"))
    transfer = sent(
        here, there, now, (steel, 5, lot.pk, []), (motor, 3, None, [unit.pk for unit in units])
    )
    lot.refresh_from_db()
    assert lot.state == IdentityState.IN_TRANSIT
    assert set(SerialUnit.objects.values_list("state", flat=True)) == {"in_transit"}
    # Of three units on one row of supply, one is held: two are counted on.
    holds.hold(unit_ids=[units[0].pk], lot_ids=[lot.pk], reason="noise", by=None, now=now)
    assert list(Supply.objects.values_list("item__code", "quantity")) == [("MOTOR", 2)]
    holds.release(hold_ids=[Hold.objects.get(lot=lot).pk], reason="tested", by=None, now=now)
    lot.refresh_from_db()
    assert lot.state == IdentityState.IN_TRANSIT
    lines = {line.unit_id or line.lot_id: line.pk for line in transfer.lines.all()}
    came = {lines[lot.pk]: Decimal(5), lines[units[0].pk]: Decimal(1), lines[units[1].pk]: 1}
    transfers.receive(transfer=transfer, arrivals=came, by=None, now=now)
    transfers.close(transfer=transfer, reason="stolen", by=None, now=now)
    states = dict(SerialUnit.objects.values_list("number", "state"))
    assert states == {"M-1": "on_hold", "M-2": "available", "M-3": "scrapped"}
    lot.refresh_from_db()
    assert lot.state == IdentityState.AVAILABLE
    assert StockBalance.objects.get(item=motor, site=there).held == 1
    assert conserved()


def test_a_unit_is_packed_once_and_taken_out_again(here, there, motor, now):
    receive(motor, here, 3, now, serials=["M-1", "M-2", "M-3"])
    first = SerialUnit.objects.get(number="M-1")
    transfer = packed(here, there, now, (motor, 1, None, [first.pk]))
    with pytest.raises(transfers.CannotTransfer, match="M-1 is packed in"):
        packed(here, there, now, (motor, 1, None, [first.pk]))
    # Without a number: those that nobody has packed.
    transfers.pack(
        transfer=transfer,
        source=Where(place(here).pk, motor.pk),
        quantity=Decimal(2),
        by=None,
        now=now,
    )
    assert set(transfer.lines.values_list("unit__number", flat=True)) == {"M-1", "M-2", "M-3"}
    transfers.unpack(transfer=transfer, line_ids=[transfer.lines.first().pk], by=None, now=now)
    assert transfer.lines.count() == 2


def test_what_was_packed_may_be_gone_when_it_leaves(here, there, bolt, now):
    receive(bolt, here, 5, now)
    transfer = packed(here, there, now, (bolt, 3, None, []), (bolt, 2, None, []))
    assert transfer.lines.get().quantity == 5
    stock.adjust(
        item_id=bolt.pk, site_id=here.pk, quantity=Decimal(-2), reason="rust", by=None, now=now
    )
    with pytest.raises(
        transfers.CannotTransfer, match="3 of BOLT may be taken from STORAGE, not 5"
    ):
        transfers.dispatch(transfer=transfer, by=None, now=now)
    transfers.cancel(transfer=transfer, reason="", by=None, now=now)
    assert on_hand(bolt, here) == 3
    with pytest.raises(transfers.CannotTransfer, match="nothing can be packed"):
        transfers.pack(
            transfer=transfer,
            source=Where(place(here).pk, bolt.pk),
            quantity=Decimal(1),
            by=None,
            now=now,
        )
    assert conserved()


def test_damaged_goods_arrive_in_quarantine(here, there, bolt, now):
    receive(bolt, here, 5, now)
    transfer = sent(here, there, now, (bolt, 5, None, []))
    transfers.receive(
        transfer=transfer,
        arrivals={transfer.lines.get().pk: Decimal(5)},
        bin_id=place(there, BinKind.QUARANTINE).pk,
        by=None,
        now=now,
    )
    assert StockBalance.objects.get(site=there).held == 5
    with pytest.raises(transfers.CannotTransfer, match="send it back by a transfer of its own"):
        transfers.cancel(transfer=transfer, reason="no", by=None, now=now)
    assert conserved()


def test_an_overdue_transfer_is_counted_on_for_tomorrow(here, there, bolt, now):
    receive(bolt, here, 5, now)
    sent(here, there, now, (bolt, 5, None, []))
    late = now + timedelta(days=30)
    assert [row.at for row in selectors.incoming(site_id=there.pk, now=late)] == [
        late + timedelta(days=1)
    ]


def test_planning_does_not_count_on_a_lot_after_its_last_day(here, steel, now):
    last = now.date() + timedelta(days=5)
    origin = stock.Origin(None, "", last)
    receive(steel, here, 4, now, lot_number="L-1", origin=origin)
    receive(steel, here, 2, now, lot_number="L-2")
    need = RequirementFactory(item=steel, site=here, quantity=6, due_at=now + timedelta(days=5))

    def ordered():
        reading = selectors.read_situation(site_id=here.pk, today=now.date(), zone=now.tzinfo)
        return [order.quantity for order in mrp.run(reading.situation).orders]

    assert ordered() == []
    need.due_at += timedelta(days=1)
    need.save()
    assert ordered() == [4]
    holds.hold(lot_ids=[Lot.objects.get(number="L-1").pk], reason="smell", by=None, now=now)
    assert ordered() == [4]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"received": 6}, "erp_transferline_quantities_conserved"),
        ({"quantity": 0}, "erp_transferline_quantities_conserved"),
    ],
)
def test_the_database_conserves_what_was_sent(here, there, bolt, now, change, name):
    receive(bolt, here, 5, now)
    sent(here, there, now, (bolt, 5, None, []))
    with pytest.raises(DatabaseError, match=name), transaction.atomic():
        TransferLine.objects.update(**change)


def test_the_database_knows_no_transfer_within_a_site_and_no_place_twice(here, there, bolt, now):
    receive(bolt, here, 5, now)
    transfer = sent(here, there, now, (bolt, 5, None, []))
    within = pytest.raises(DatabaseError, match="erp_stocktransfer_between_two_sites")
    with within, transaction.atomic():
        StockTransfer.objects.update(to_site=here)
    line = transfer.lines.get()
    line.pk = None
    twice = pytest.raises(DatabaseError, match="erp_transferline_once_per_place")
    with twice, transaction.atomic():
        line.save()
