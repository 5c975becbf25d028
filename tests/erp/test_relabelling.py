"""Lots are split and put together: nothing is lost, and an impact finds either number."""

from datetime import timedelta
from decimal import Decimal

import pytest

from common.models import AuditEntry
from erp import selectors
from erp.models import StockBalance, StockMove, StockQuant
from erp.services import holds, lots, moving, stock
from erp.services.lots import CannotRelabel
from masterdata.enums import Supply, Tracking
from tests.erp.factories import RequirementFactory
from tests.erp.test_genealogy import life, needed
from tests.erp.test_lots import books_agree, place, receive
from tests.masterdata.factories import ItemFactory, SupplierFactory
from tests.traceability import ledger
from tests.traceability.factories import SerialUnitFactory
from traceability import selectors as traceability
from traceability.enums import EventKind
from traceability.models import Document, Event, Lot
from traceability.services import genealogy
from traceability.services.identities import CannotRegister

pytestmark = pytest.mark.django_db


@pytest.fixture
def lot(site, steel, now):
    """Ten of a supplier's lot, which came two days ago."""
    supplier = SupplierFactory(code="SUP-1")
    origin = stock.Origin(supplier.pk, "H-88", now.date() + timedelta(days=90))
    receive(steel, site, 10, now - timedelta(days=2), lot_number="RM-1", origin=origin)
    return Lot.objects.get()


def split(lot, site, quantity, now, **more):
    return lots.split(
        lot_id=lot.pk,
        bin_id=more.pop("bin_id", None) or place(site).pk,
        quantity=Decimal(quantity),
        by=None,
        now=now,
        **more,
    )


def merge(found, site, now, **more):
    return lots.merge(
        lot_ids=[lot.pk for lot in found],
        bin_id=more.pop("bin_id", None) or place(site).pk,
        by=None,
        now=now,
        **more,
    )


def built_from(lot, fact):
    """A unit into which something of the lot goes."""
    unit = SerialUnitFactory()
    loaded = [genealogy.Loaded(lot.pk, Decimal(1))]
    genealogy.build(fact=fact, outputs=[genealogy.Built(unit.pk)], loaded=loaded)
    return unit.pk


def fact_at(site, now):
    return genealogy.Fact(kind=EventKind.BUILD, at=now, site_id=site.pk)


def test_what_is_split_off_keeps_what_it_is_and_the_ledger_knows_both(site, lot, now):
    balance = StockBalance.objects.get()
    new = split(lot, site, 4, now, number="RM-1-A", reason="half a bundle")
    assert (new.number, new.state) == ("RM-1-A", "available")
    assert (new.supplier, new.supplier_lot) == (lot.supplier, "H-88")
    assert new.expires_on == lot.expires_on
    quants = {quant.lot_id: quant for quant in StockQuant.objects.all()}
    assert (quants[lot.pk].quantity, quants[new.pk].quantity) == (6, 4)
    # First in, first out: it is as old as what it came from.
    assert quants[new.pk].since == quants[lot.pk].since
    again = StockBalance.objects.get()
    assert (again.on_hand, again.average_cost) == (balance.on_hand, balance.average_cost)
    paper = StockMove.objects.latest("pk").document
    assert [row[:2] for row in life(lot)] == [("receipt", "receipt"), ("split", "lot_out")]
    assert life(new) == [("split", "lot_in", paper, 4)]
    assert Event.objects.filter(kind="split").count() == 1
    old, young = selectors.lot_balance(lot.pk), selectors.lot_balance(new.pk)
    assert (old.received, old.relabelled, old.on_hand, old.difference) == (10, 4, 6, 0)
    assert (young.received, young.on_hand, young.difference) == (4, 4, 0)
    entry = AuditEntry.objects.get(action="erp.lot.split")
    assert entry.changes["lot"] == ["RM-1", "RM-1-A"]
    # What is made of it is found from the lot it came from, surely.
    unit = built_from(new, fact_at(site, now))
    assert traceability.units_of_lots([lot.pk]) == {unit: True}
    assert books_agree()
    ledger.is_sound()


def test_lots_put_together_are_a_new_one_and_each_is_in_it_possibly(site, steel, lot, now):
    before = built_from(lot, fact_at(site, now))
    receive(steel, site, 5, now, lot_number="RM-2")
    other = Lot.objects.latest("pk")
    new = merge([lot, other], site, now, number="MIX-1")
    assert (new.supplier, new.supplier_lot) == (None, "")
    # It expires with the first of them and is as old as the oldest.
    assert new.expires_on == lot.expires_on
    quant = StockQuant.objects.get()
    assert (quant.lot, quant.quantity, quant.since) == (new, 15, now - timedelta(days=2))
    assert set(Lot.objects.filter(pk__in=[lot.pk, other.pk]).values_list("state")) == {
        ("consumed",)
    }
    after = built_from(new, fact_at(site, now))
    assert traceability.units_of_lots([lot.pk]) == {before: True, after: False}
    # What was made before is under no suspicion of the other.
    assert traceability.units_of_lots([other.pk]) == {after: False}
    balances = [selectors.lot_balance(pk) for pk in (lot.pk, other.pk, new.pk)]
    assert [row.difference for row in balances] == [0, 0, 0]
    assert [row.relabelled for row in balances] == [10, 5, 0]
    assert set(Document.objects.filter(kind="lot_out").values_list("number")) == set(
        Document.objects.filter(kind="lot_in").values_list("number")
    )
    assert AuditEntry.objects.get(action="erp.lot.merge").changes == {
        "lots": [["RM-1", "RM-2"], "MIX-1"]
    }
    # Split in error, and put back: no lot is inside itself.
    part = split(new, site, 5, now)
    back = merge([new, part], site, now)
    assert traceability.lots_reached(traceability.Start.of([lot.pk])).keys() == {
        lot.pk,
        new.pk,
        part.pk,
        back.pk,
    }
    assert books_agree()
    ledger.is_sound()


def test_a_lot_that_is_kept_from_everybody_keeps_its_number(site, steel, lot, now):
    receive(steel, site, 5, now, lot_number="RM-2")
    other = Lot.objects.latest("pk")
    (hold,) = holds.hold(lot_ids=[lot.pk], reason="crack", by=None, now=now)
    for act in (lambda: split(lot, site, 1, now), lambda: merge([lot, other], site, now)):
        with pytest.raises(CannotRelabel, match="RM-1 is on hold"):
            act()
    holds.release(hold_ids=[hold], reason="tested", by=None, now=now)
    later = now + timedelta(days=91)
    for act in (lambda: split(lot, site, 1, later), lambda: merge([lot, other], site, later)):
        with pytest.raises(CannotRelabel, match="RM-1 is expired"):
            act()
    away = place(site, "quarantine")
    source = moving.Where(place(site).pk, steel.pk, lot.pk)
    moving.move(source=source, to_bin_id=away.pk, quantity=Decimal(10), by=None, now=now)
    with pytest.raises(CannotRelabel, match="RM-1 lies in quarantine"):
        split(lot, site, 1, now, bin_id=away.pk)
    with pytest.raises(CannotRelabel, match="RM-1: not in"):
        merge([lot, other], site, now)
    assert Lot.objects.count() == 2
    assert books_agree()


def test_what_stands_ready_for_somebody_is_not_renamed(site, steel, lot, now):
    need = needed(steel, site, 7, kind="component", reference="WO-1")
    # What is reserved is reserved of the item: under either number it is there.
    new = split(lot, site, 2, now)
    ready = {"by": None, "now": now, "bin_id": place(site).pk, "to_bin_id": place(site).pk}
    moving.stage(requirement_id=need.pk, quantity=Decimal(7), lot_id=lot.pk, **ready)
    with pytest.raises(CannotRelabel, match="7 of RM-1 stands ready for somebody; 1 may be"):
        split(lot, site, 2, now)
    with pytest.raises(CannotRelabel, match="7 of RM-1 stands ready"):
        merge([lot, new], site, now)
    assert split(lot, site, 1, now).state == "available"
    assert books_agree()


@pytest.mark.parametrize(
    ("quantity", "number", "why"),
    [
        (0, "", "above zero"),
        (11, "", "Only 10 of RM-1 lies in"),
        (10, "", "That is all there is of RM-1"),
        (1, "rm1", "There is a lot RM-1 of this item already"),
        (1, "--", "is no number"),
        (1, "X" * 61, "60 characters at most"),
    ],
)
def test_a_split_that_cannot_be_is_refused_with_the_reason(site, lot, now, quantity, number, why):
    with pytest.raises((CannotRelabel, CannotRegister), match=why):
        split(lot, site, quantity, now, number=number)
    assert Lot.objects.count() == 1
    assert not Event.objects.filter(kind="split").exists()
    assert books_agree()


def test_lots_of_different_origin_items_or_places_stay_apart(site, steel, lot, now):
    with pytest.raises(CannotRelabel, match="at least two"):
        merge([lot], site, now)
    other_item = ItemFactory(code="ROD", supply=Supply.BUY, tracking=Tracking.LOT)
    receive(other_item, site, 5, now, lot_number="RD-1")
    with pytest.raises(CannotRelabel, match="different items: BAR, ROD"):
        merge([lot, Lot.objects.latest("pk")], site, now)
    origin = stock.Origin(lot.supplier_id, "H-89")
    receive(steel, site, 5, now, lot_number="RM-2", origin=origin)
    other = Lot.objects.latest("pk")
    steel.supplier_lot_required = True
    steel.save()
    with pytest.raises(CannotRelabel, match="BAR is kept apart by the supplier's lot: RM-1, RM-2"):
        merge([lot, other], site, now)
    # Two of ours of the same lot of the supplier are the same goods.
    part = split(lot, site, 3, now)
    assert merge([lot, part], site, now).supplier_lot == "H-88"
    assert books_agree()


def test_a_need_is_met_by_a_lot_under_its_new_number(site, steel, lot, now):
    new = split(lot, site, 4, now)
    need = RequirementFactory(item=steel, site=site, quantity=4)
    stock.reservations.give_free(site_id=site.pk, item_ids=[steel.pk])
    stock.issue(
        requirement_id=need.pk,
        quantity=Decimal(4),
        reference="WO-1",
        lot_id=new.pk,
        by=None,
        now=now,
    )
    new.refresh_from_db()
    assert new.state == "consumed"
    assert selectors.lot_balance(new.pk).consumed == 4
    assert books_agree()
