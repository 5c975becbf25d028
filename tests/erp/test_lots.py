"""Lots and serial units in the store: received, staged, issued, moved, held, returned."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from common.models import AuditEntry, Event
from erp.enums import BinKind, MoveKind
from erp.models import (
    Requirement,
    Reservation,
    Staging,
    StockBalance,
    StockMove,
    StockQuant,
)
from erp.selectors import free_stock
from erp.services import counts, holds, moving, returns, stock, warehouses
from erp.services.moving import Where
from masterdata.enums import Supply, Tracking
from tests.erp.factories import RequirementFactory
from tests.masterdata.factories import ItemFactory, SiteFactory, SupplierFactory
from tests.traceability import ledger
from traceability.enums import IdentityState
from traceability.models import Hold, Lot, SerialUnit
from traceability.services.identities import CannotRegister

pytestmark = pytest.mark.django_db


@pytest.fixture
def motor(db):
    return ItemFactory(code="MOTOR", supply=Supply.BUY, tracking=Tracking.SERIAL)


def place(site, kind=BinKind.STORAGE):
    return warehouses.bin_for(site_id=site.pk, kind=kind)


def receive(item, site, quantity, now, **more):
    more = {"kind": MoveKind.RECEIPT, "reference": "DN-1"} | more
    return stock.receive(
        item_id=item.pk, site_id=site.pk, quantity=Decimal(quantity), by=None, now=now, **more
    )


def lying(**where):
    found = StockQuant.objects.filter(**where).order_by("pk")
    return [(q.bin.kind, q.lot.number if q.lot else "", q.quantity) for q in found]


def books_agree():
    """Moves, quants and balances say the same, and nothing is promised twice."""
    for balance in StockBalance.objects.all():
        quants = StockQuant.objects.filter(item=balance.item, bin__warehouse__site=balance.site)
        moves = StockMove.objects.filter(item=balance.item, site=balance.site)
        for rows in (quants, moves):
            assert (rows.aggregate(s=Sum("quantity"))["s"] or 0) == balance.on_hand
        held = quants.filter(is_held=True).aggregate(s=Sum("quantity"))["s"] or 0
        reserved = Reservation.objects.filter(balance=balance).aggregate(s=Sum("quantity"))["s"]
        assert (balance.held, balance.reserved) == (held, reserved or 0)
        for quant in quants:
            ready = Staging.objects.filter(quant=quant).aggregate(s=Sum("quantity"))["s"] or 0
            assert quant.staged == ready
    return ledger.agrees_with_stock()


def test_a_delivery_says_what_the_items_policy_asks(site, steel, now):
    steel.supplier_lot_required = steel.expiry_required = True
    steel.save()
    origin = stock.Origin(supplier_id=SupplierFactory().pk, supplier_lot="H-1")
    with pytest.raises(stock.CannotReceive, match="needs the supplier's lot"):
        receive(steel, site, 5, now, lot_number="RM-1")
    with pytest.raises(stock.CannotReceive, match="needs the day of expiry"):
        receive(steel, site, 5, now, lot_number="RM-1", origin=origin)
    yesterday = now.date() - timedelta(days=1)
    with pytest.raises(stock.CannotReceive, match="expired on 2026-11-22"):
        receive(steel, site, 5, now, origin=stock.Origin(None, "H-1", yesterday))
    with pytest.raises(stock.CannotReceive, match="no serial numbers"):
        receive(steel, site, 5, now, serials=["1"] * 5)
    receive(steel, site, 5, now, origin=stock.Origin(origin.supplier_id, "H-1", now.date()))
    lot = Lot.objects.get()
    assert (lot.supplier_lot, lot.expires_on, lot.state) == ("H-1", now.date(), "available")
    # What we make ourselves has no supplier; its lot is its work order.
    receive(steel, site, 2, now, kind=MoveKind.PRODUCTION, reference="WO-7")
    receive(steel, site, 1, now, kind=MoveKind.PRODUCTION, reference="WO-7")
    assert lying(lot__number="WO-7") == [("storage", "WO-7", 3)]
    assert books_agree()


def test_a_lot_without_a_day_keeps_its_shelf_life(site, steel, now):
    steel.shelf_life_days = 10
    steel.save()
    receive(steel, site, 5, now)
    assert Lot.objects.get().expires_on == date(2026, 12, 3)


def test_serial_units_come_in_whole_and_once(site, motor, now):
    with pytest.raises(stock.CannotReceive, match="only whole pieces"):
        receive(motor, site, "1.5", now)
    with pytest.raises(stock.CannotReceive, match="1 serial numbers are given for 2"):
        receive(motor, site, 2, now, serials=["M-1"])
    receive(motor, site, 2, now, serials=["M-1", "M-2"])
    with pytest.raises(CannotRegister, match="M-2 was given before"):
        receive(motor, site, 1, now, serials=["M-2"])
    receive(motor, site, 1, now)
    assert SerialUnit.objects.filter(state="available").count() == 3
    assert StockBalance.objects.get().on_hand == 3
    assert books_agree()


@pytest.fixture
def need(site, steel, now):
    """Six bars are needed; the newer lot of five expires before the older one of five."""
    receive(steel, site, 5, now, lot_number="OLD", origin=stock.Origin(None, "", now.date()))
    receive(steel, site, 5, now, lot_number="LATE", origin=stock.Origin(None, "", date(2027, 9, 1)))
    receive(steel, site, 5, now, lot_number="SOON", origin=stock.Origin(None, "", date(2027, 1, 1)))
    return RequirementFactory(item=steel, site=site, quantity=6)


def reserve(requirement, quantity=None):
    from erp.services import reservations

    reservations.reserve({requirement.pk: Decimal(quantity or requirement.quantity)})


def issue(requirement, quantity, now, **named):
    stock.issue(
        requirement_id=requirement.pk,
        quantity=Decimal(quantity),
        reference="WO-1",
        by=None,
        now=now,
        **named,
    )


def test_what_expires_first_goes_first_and_what_is_expired_stays(site, need, now):
    reserve(need)
    later = now + timedelta(days=3)
    issue(need, 6, later)
    assert lying() == [("storage", "OLD", 5), ("storage", "LATE", 4)]
    assert dict(Lot.objects.values_list("number", "state")) == {
        "OLD": "available",
        "LATE": "available",
        "SOON": "consumed",
    }
    assert books_agree()


def test_expired_stock_is_no_stock_for_an_issue(site, need, now):
    reserve(need, 6)
    much_later = now + timedelta(days=4000)
    with pytest.raises(stock.CannotIssue, match="6 of BAR cannot be used: expired"):
        issue(need, 6, much_later)
    assert StockBalance.objects.get().on_hand == 15


def test_a_scanned_lot_is_taken_or_refused_with_what_to_do(site, need, motor, now):
    reserve(need)
    lots = {lot.number: lot for lot in Lot.objects.all()}
    issue(need, 2, now, lot_id=lots["LATE"].pk)
    assert ("storage", "LATE", 3) in lying()
    with pytest.raises(stock.CannotIssue, match="1 of BAR are missing there"):
        issue(need, 4, now, lot_id=lots["LATE"].pk)
    with pytest.raises(stock.CannotIssue, match="OLD expired on"):
        issue(need, 1, now + timedelta(days=5), lot_id=lots["OLD"].pk)
    holds.hold(lot_ids=[lots["SOON"].pk], reason="crack", by=None, now=now)
    with pytest.raises(stock.CannotIssue, match="SOON is on hold"):
        issue(need, 1, now, lot_id=lots["SOON"].pk)
    receive(motor, site, 1, now, serials=["M-1"])
    with pytest.raises(stock.CannotIssue, match="M-1 is MOTOR, and BAR is needed"):
        issue(need, 1, now, unit_ids=[SerialUnit.objects.get().pk])
    assert books_agree()


def test_staged_material_goes_first_and_to_nobody_else(site, need, steel, now):
    other = RequirementFactory(item=steel, site=site, quantity=9)
    reserve(need)
    reserve(other)
    late = Lot.objects.get(number="LATE")
    act = {"requirement_id": need.pk, "by": None, "now": now}
    moving.stage(**act, quantity=Decimal(5), lot_id=late.pk)
    assert lying(bin__kind="staging") == [("staging", "LATE", 5)]
    with pytest.raises(moving.CannotStage, match="1 of BAR is reserved and not staged yet"):
        moving.stage(**act, quantity=Decimal(2))
    with pytest.raises(stock.CannotIssue, match="missing there"):
        issue(other, 1, now, lot_id=late.pk)
    assert books_agree()
    issue(need, 6, now)
    assert not lying(bin__kind="staging")
    assert not Staging.objects.exists()
    assert sorted(lying()) == [("storage", "OLD", 4), ("storage", "SOON", 5)]
    assert books_agree()


def test_staging_ends_where_the_reservation_ends(site, need, now):
    from erp.services import reservations

    reserve(need)
    moving.stage(requirement_id=need.pk, quantity=Decimal(6), by=None, now=now)
    reservations.release({need.pk: Decimal(4)})
    assert Staging.objects.aggregate(s=Sum("quantity"))["s"] == 2
    moving.unstage(requirement_id=need.pk, by=None, now=now)
    assert not Staging.objects.exists()
    assert books_agree()


def test_a_move_is_two_rows_of_one_document(site, need, steel, now):
    old = Lot.objects.get(number="OLD")
    target = place(site, BinKind.PRODUCTION)
    source = Where(place(site).pk, steel.pk, lot_id=old.pk)
    act = {"source": source, "to_bin_id": target.pk, "by": None, "now": now}
    moving.move(**act, quantity=Decimal(2))
    rows = StockMove.objects.filter(kind=MoveKind.TRANSFER)
    assert {row.quantity for row in rows} == {2, -2}
    assert len({row.document for row in rows}) == 1
    with pytest.raises(moving.CannotMove, match="3 of BAR may be moved from there, not 4"):
        moving.move(**act, quantity=Decimal(4))
    with pytest.raises(moving.CannotMove, match="Several lots of BAR"):
        moving.move(**act | {"source": Where(place(site).pk, steel.pk)}, quantity=Decimal(4))
    assert books_agree()


def test_a_move_ends_at_the_border_of_the_site(site, steel, now):
    receive(steel, site, 5, now, lot_number="OLD")
    old, other = Lot.objects.get(), SiteFactory()
    source = Where(place(site).pk, steel.pk, lot_id=old.pk)
    with pytest.raises(moving.CannotMove, match="is at another site: send it by a transfer"):
        moving.move(source=source, to_bin_id=place(other).pk, quantity=Decimal(1), by=None, now=now)
    assert books_agree()


def test_a_hold_takes_from_the_latest_due_and_its_release_gives_back(site, need, steel, now):
    reserve(need)
    later = RequirementFactory(
        item=steel, site=site, quantity=8, due_at=need.due_at + timedelta(days=9)
    )
    reserve(later)
    moving.stage(requirement_id=later.pk, quantity=Decimal(8), by=None, now=now)
    soon = Lot.objects.get(number="SOON")
    holds.hold(lot_ids=[soon.pk], reason="crack", by=None, now=now)
    balance = StockBalance.objects.get()
    assert (balance.on_hand, balance.held, balance.reserved) == (15, 5, 10)
    kept = dict(Reservation.objects.values_list("requirement", "quantity"))
    assert kept == {need.pk: 6, later.pk: 4}
    assert free_stock(site_id=site.pk, item_ids=[steel.pk]) == {steel.pk: 0}
    assert books_agree()
    holds.release(hold_ids=[Hold.objects.get().pk], reason="tested", by=None, now=now)
    # Bought stock that is free again goes to who waits.
    assert Reservation.objects.get(requirement=later).quantity == 8
    assert books_agree()


def test_what_lies_in_quarantine_is_kept_from_everybody(site, need, steel, now):
    old = Lot.objects.get(number="OLD")
    cell = place(site, BinKind.QUARANTINE)
    source = Where(place(site).pk, steel.pk, lot_id=old.pk)
    moving.move(source=source, to_bin_id=cell.pk, quantity=Decimal(3), by=None, now=now)
    assert StockBalance.objects.get().held == 3
    reserve(need)
    act = {"requirement_id": need.pk, "by": None, "now": now}
    with pytest.raises(moving.CannotStage, match="1 of BAR are missing there"):
        moving.stage(**act, quantity=Decimal(3), lot_id=old.pk)
    # A hold on the lot besides, and its end, do not free what lies in quarantine.
    holds.hold(lot_ids=[old.pk], reason="crack", by=None, now=now)
    assert StockBalance.objects.get().held == 5
    holds.release(hold_ids=[Hold.objects.get().pk], reason="tested", by=None, now=now)
    assert StockBalance.objects.get().held == 3
    back = Where(cell.pk, steel.pk, lot_id=old.pk)
    moving.move(source=back, to_bin_id=place(site).pk, quantity=Decimal(3), by=None, now=now)
    assert StockBalance.objects.get().held == 0
    # Bought stock that is free again goes to who waits.
    assert Reservation.objects.get(requirement=need).quantity == 6
    assert books_agree()


def test_only_stock_that_may_be_negative_is(site, now):
    screw = ItemFactory(code="SCREW", supply=Supply.BUY, may_be_negative=True)
    need = RequirementFactory(item=screw, site=site, quantity=10)
    stock.backflush(
        site_id=site.pk, quantities={need.pk: Decimal(4)}, reference="WO-1", by=None, now=now
    )
    assert StockBalance.objects.get().on_hand == -4
    receive(screw, site, 6, now)
    assert (lying(), Reservation.objects.get().quantity) == ([("storage", "", 2)], 2)
    # Others' stock goes as well: it was used, whoever it was for.
    other = RequirementFactory(item=screw, site=site, quantity=5)
    stock.backflush(
        site_id=site.pk, quantities={other.pk: Decimal(5)}, reference="WO-2", by=None, now=now
    )
    assert StockBalance.objects.get().on_hand == -3
    assert not Reservation.objects.exists()
    assert Requirement.objects.get(pk=other.pk).state == "fulfilled"
    assert books_agree()


def test_what_was_issued_by_mistake_comes_back_and_is_needed_again(site, need, now):
    reserve(need)
    late = Lot.objects.get(number="LATE")
    issue(need, 5, now, lot_id=late.pk)
    issue(need, 1, now)
    late.refresh_from_db()
    assert late.state == IdentityState.CONSUMED
    act = {"requirement_id": need.pk, "reference": "WO-1", "by": None, "now": now}
    with pytest.raises(returns.CannotReturn, match="5 of it went there, not 6"):
        returns.from_work_order(**act, quantity=Decimal(6), lot_id=late.pk)
    with pytest.raises(returns.CannotReturn, match="Say which lot"):
        returns.from_work_order(**act, quantity=Decimal(1))
    returns.from_work_order(**act, quantity=Decimal(2), lot_id=late.pk, still_needed=True)
    need.refresh_from_db()
    assert (need.issued, need.state, Reservation.objects.get().quantity) == (4, "open", 2)
    returns.from_work_order(**act, quantity=Decimal(3), lot_id=late.pk)
    with pytest.raises(returns.CannotReturn, match="0 of it went there, not 1"):
        returns.from_work_order(**act, quantity=Decimal(1), lot_id=late.pk)
    late.refresh_from_db()
    assert late.state == IdentityState.AVAILABLE
    assert books_agree()


def test_a_bad_delivery_goes_back_from_quarantine(site, motor, now):
    receive(motor, site, 2, now, serials=["M-1", "M-2"])
    bad = SerialUnit.objects.get(number="M-2")
    holds.hold(unit_ids=[bad.pk], reason="noise", by=None, now=now)
    source = Where(place(site).pk, motor.pk, unit_ids=[bad.pk])
    returns.to_supplier(source=source, quantity=Decimal(1), reference="RMA-1", by=None, now=now)
    bad.refresh_from_db()
    balance = StockBalance.objects.get()
    assert (bad.state, balance.on_hand, balance.held) == ("returned", 1, 0)
    assert books_agree()


def test_a_held_piece_that_is_lost_and_found_is_still_held(site, motor, now):
    receive(motor, site, 1, now, serials=["M-1"])
    unit = SerialUnit.objects.get()
    holds.hold(unit_ids=[unit.pk], reason="noise", by=None, now=now)
    for counted, state in ((0, IdentityState.SCRAPPED), (1, IdentityState.ON_HOLD)):
        session = counts.start(site_id=site.pk, title="", by=None, now=now)
        where = {"bin_id": place(site).pk, "item_id": motor.pk, "unit_id": unit.pk}
        counts.enter(session=session, **where, counted=Decimal(counted), by=None, now=now)
        counts.submit(session=session, by=None, now=now)
        counts.approve(session=session, by=None, now=now)
        unit.refresh_from_db()
        assert unit.state == state
    assert StockBalance.objects.get().held == 1
    holds.release(hold_ids=[Hold.objects.get().pk], reason="tested", by=None, now=now)
    unit.refresh_from_db()
    assert (unit.state, StockBalance.objects.get().held) == (IdentityState.AVAILABLE, 0)


def test_a_backflush_touches_no_store_that_it_did_not_lock(site, need, now):
    reserve(need)
    used = {need.pk: Decimal(1)}
    with pytest.raises(ValueError, match="not locked"):
        stock.backflush(site_id=site.pk + 1, quantities=used, reference="W", by=None, now=now)


def test_a_backflush_takes_no_more_than_is_needed(site, need, now):
    reserve(need)
    stock.backflush(
        site_id=site.pk, quantities={need.pk: Decimal(99)}, reference="WO-1", by=None, now=now
    )
    assert StockBalance.objects.get().on_hand == 9
    stock.backflush(
        site_id=site.pk, quantities={need.pk: Decimal(1)}, reference="WO-1", by=None, now=now
    )
    assert StockBalance.objects.get().on_hand == 9


def expire(now):
    return holds.set_expired_aside(by=None, now=now)


def test_what_has_expired_is_nobodys(site, need, steel, now):
    # OLD and SOON expire, LATE keeps.
    reserve(need)
    last = Lot.objects.get(number="SOON").expires_on
    moving.stage(requirement_id=need.pk, quantity=Decimal(6), by=None, now=now)
    before = free_stock(site_id=site.pk, item_ids=[steel.pk])[steel.pk]
    assert expire(now) == 0
    after = now + timedelta(days=(last - now.date()).days + 1)
    assert expire(after) >= 1
    assert expire(after) == 0
    balance = StockBalance.objects.get()
    gone = StockQuant.objects.filter(is_held=True).aggregate(s=Sum("quantity"))["s"]
    assert balance.held == gone > 0
    assert balance.reserved <= balance.on_hand - balance.held
    free = free_stock(site_id=site.pk, item_ids=[steel.pk])[steel.pk]
    assert free == balance.on_hand - balance.held - balance.reserved != before
    assert Event.objects.filter(topic="erp.stock.withheld").count() == 1
    assert AuditEntry.objects.filter(action="erp.stock.expire").exists()
    assert books_agree()


def test_an_expired_lot_stays_aside_whatever_is_done_with_it(site, steel, now):
    today = now.date()
    receive(steel, site, 4, now, lot_number="X", origin=stock.Origin(None, "", today))
    lot, later = Lot.objects.get(), now + timedelta(days=1)
    expire(later)
    assert StockBalance.objects.get().held == 4
    source = Where(place(site).pk, steel.pk, lot_id=lot.pk)
    cell = place(site, BinKind.QUARANTINE)
    moving.move(source=source, to_bin_id=cell.pk, quantity=Decimal(4), by=None, now=later)
    back = Where(cell.pk, steel.pk, lot_id=lot.pk)
    moving.move(source=back, to_bin_id=place(site).pk, quantity=Decimal(4), by=None, now=later)
    assert StockBalance.objects.get().held == 4
    holds.hold(lot_ids=[lot.pk], reason="smell", by=None, now=later)
    holds.release(hold_ids=[Hold.objects.get().pk], reason="fine", by=None, now=later)
    assert StockBalance.objects.get().held == 4
    assert free_stock(site_id=site.pk, item_ids=[steel.pk]) == {steel.pk: 0}
    assert books_agree()


def test_a_lot_expires_at_the_midnight_of_its_own_site(steel, now):
    east, west = SiteFactory(time_zone="Asia/Shanghai"), SiteFactory(time_zone="America/New_York")
    last = date(2026, 11, 23)
    for number, site in enumerate((east, west)):
        origin = stock.Origin(None, "", last)
        receive(steel, site, 1, now, lot_number=f"L-{number}", origin=origin)
    # Noon of the 23rd in UTC is past eight in the evening in Shanghai; four hours on it is over.
    assert expire(datetime(2026, 11, 23, 15, 59, tzinfo=UTC)) == 0
    assert expire(datetime(2026, 11, 23, 16, 1, tzinfo=UTC)) == 1
    assert StockBalance.objects.get(held=1).site == east


def test_a_component_that_expired_meanwhile_comes_back_aside(site, steel, now):
    receive(steel, site, 5, now, lot_number="X", origin=stock.Origin(None, "", now.date()))
    need = RequirementFactory(item=steel, site=site, quantity=5)
    reserve(need)
    issue(need, 5, now)
    returns.from_work_order(
        requirement_id=need.pk,
        reference="WO-1",
        quantity=Decimal(2),
        lot_id=Lot.objects.get().pk,
        by=None,
        now=now + timedelta(days=2),
        still_needed=True,
    )
    assert (StockBalance.objects.get().held, Reservation.objects.count()) == (2, 0)
    assert books_agree()
