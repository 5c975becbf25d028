"""Whatever the store does, in any order: moves, quants and balances agree, nothing is negative."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from common.errors import Refused
from erp.enums import BinKind, MoveKind
from erp.models import Requirement, StockBalance, StockQuant
from erp.services import counts, holds, lots, moving, reservations, returns, stock, warehouses
from masterdata.enums import Supply, Tracking
from tests.erp.factories import RequirementFactory
from tests.erp.test_lots import books_agree
from tests.masterdata.factories import ItemFactory, SiteFactory
from tests.profiles import stateful
from traceability.models import Hold, Lot

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
KINDS = list(BinKind)
amounts = st.integers(1, 12).map(Decimal)
any_row = st.integers(0, 10**6)


class Store(RuleBasedStateMachine):
    """A store of two sites with an item of each kind of tracking, and one that may be negative."""

    def __init__(self):
        super().__init__()
        # Each example is undone at its end.
        self.undone = transaction.atomic()
        self.undone.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    @initialize()
    def open(self):
        self.sites = [SiteFactory(), SiteFactory()]
        plain = {"supply": Supply.BUY, "standard_cost": 1}
        self.items = [
            ItemFactory(**plain),
            ItemFactory(**plain, tracking=Tracking.LOT),
            ItemFactory(**plain, tracking=Tracking.SERIAL),
            ItemFactory(**plain, may_be_negative=True),
        ]
        self.clock = 0

    def when(self):
        """A minute later each time, so that first in is first out."""
        self.clock += 1
        return {"by": None, "now": NOW + timedelta(minutes=self.clock)}

    def try_(self, act, **arguments):
        try:
            act(**arguments, **self.when())
        except Refused:
            return False
        return True

    def some(self, rows, number):
        found = list(rows.order_by("pk"))
        return found[number % len(found)] if found else None

    def bin(self, number):
        site = self.sites[number % 2]
        return warehouses.bin_for(site_id=site.pk, kind=KINDS[number // 2 % len(KINDS)])

    def source(self, quant):
        units = [quant.unit_id] if quant.unit_id else []
        return moving.Where(quant.bin_id, quant.item_id, quant.lot_id, units)

    @rule(item=st.integers(0, 3), place=any_row, quantity=amounts, lot=st.sampled_from("AB"))
    def receive(self, item, place, quantity, lot):
        item, target = self.items[item], self.bin(place)
        assert self.try_(
            stock.receive,
            item_id=item.pk,
            site_id=target.warehouse.site_id,
            quantity=quantity,
            kind=MoveKind.RECEIPT,
            reference="DN",
            bin_id=target.pk,
            lot_number=lot if item.tracking == Tracking.LOT else "",
        )

    @rule(item=st.integers(0, 3), site=st.integers(0, 1), quantity=amounts, days=st.integers(0, 9))
    def need(self, item, site, quantity, days):
        RequirementFactory(
            item=self.items[item],
            site=self.sites[site],
            quantity=quantity,
            due_at=NOW + timedelta(days=days),
        )
        reservations.give_free(
            site_id=self.sites[site].pk, item_ids=[item.pk for item in self.items]
        )

    @rule(number=any_row, quantity=amounts, pick=st.booleans())
    def stage(self, number, quantity, pick):
        need = self.some(Requirement.objects, number)
        kind = MoveKind.PICK if pick else MoveKind.STAGE
        if need:
            self.try_(moving.stage, requirement_id=need.pk, quantity=quantity, kind=kind)

    @rule(number=any_row)
    def unstage(self, number):
        need = self.some(Requirement.objects, number)
        if need:
            self.try_(moving.unstage, requirement_id=need.pk)

    @rule(number=any_row, quantity=amounts, named=any_row)
    def issue(self, number, quantity, named):
        need = self.some(Requirement.objects, number)
        lot = self.some(Lot.objects, named) if named % 3 == 0 else None
        if need:
            self.try_(
                stock.issue,
                requirement_id=need.pk,
                quantity=quantity,
                reference=need.reference,
                lot_id=lot.pk if lot else None,
            )

    @rule(number=any_row, quantity=amounts)
    def backflush(self, number, quantity):
        need = self.some(Requirement.objects, number)
        if need:
            self.try_(stock.backflush, quantities={need.pk: quantity}, reference=need.reference)

    @rule(number=any_row, lot=any_row, quantity=amounts, needed=st.booleans())
    def give_back(self, number, lot, quantity, needed):
        need, lot = self.some(Requirement.objects, number), self.some(Lot.objects, lot)
        if need:
            self.try_(
                returns.from_work_order,
                requirement_id=need.pk,
                quantity=quantity,
                reference=need.reference,
                lot_id=lot.pk if lot and lot.item_id == need.item_id else None,
                still_needed=needed,
            )

    @rule(number=any_row, quantity=amounts)
    def release(self, number, quantity):
        need = self.some(Requirement.objects, number)
        if need:
            reservations.release({need.pk: quantity})

    @rule(number=any_row, place=any_row, quantity=amounts)
    def move(self, number, place, quantity):
        quant = self.some(StockQuant.objects.filter(quantity__gt=0), number)
        if quant:
            quantity = Decimal(1) if quant.unit_id else quantity
            source, target = self.source(quant), self.bin(place).pk
            self.try_(moving.move, source=source, to_bin_id=target, quantity=quantity)

    @rule(number=any_row, quantity=amounts)
    def split(self, number, quantity):
        quant = self.some(StockQuant.objects.filter(lot__isnull=False), number)
        if quant:
            self.try_(lots.split, lot_id=quant.lot_id, bin_id=quant.bin_id, quantity=quantity)

    @rule(number=any_row)
    def put_together(self, number):
        quant = self.some(StockQuant.objects.filter(lot__isnull=False), number)
        if quant:
            lying = StockQuant.objects.filter(bin=quant.bin_id, item=quant.item_id)
            found = list(lying.order_by("pk").values_list("lot", flat=True)[:3])
            self.try_(lots.merge, lot_ids=found, bin_id=quant.bin_id)

    @rule(number=any_row)
    def send_back(self, number):
        quant = self.some(StockQuant.objects.filter(quantity__gt=0), number)
        if quant:
            self.try_(
                returns.to_supplier,
                source=self.source(quant),
                quantity=Decimal(1),
                reference="RMA",
            )

    @rule(number=any_row)
    def hold(self, number):
        quant = self.some(StockQuant.objects.exclude(lot=None, unit=None), number)
        if quant:
            self.try_(
                holds.hold,
                lot_ids=[quant.lot_id] if quant.lot_id else [],
                unit_ids=[quant.unit_id] if quant.unit_id else [],
                reason="crack",
            )

    @rule(number=any_row)
    def lift(self, number):
        row = self.some(Hold.objects.filter(released_at=None), number)
        if row:
            self.try_(holds.release, hold_ids=[row.pk], reason="tested")

    @rule(number=any_row, counted=st.integers(0, 15))
    def count(self, number, counted):
        quant = self.some(StockQuant.objects, number)
        if quant is None:
            return
        session = counts.start(site_id=quant.bin.warehouse.site_id, title="", **self.when())
        place = {
            "bin_id": quant.bin_id,
            "item_id": quant.item_id,
            "lot_id": quant.lot_id,
            "unit_id": quant.unit_id,
        }
        counted = Decimal(min(counted, 1) if quant.unit_id else counted)
        assert self.try_(counts.enter, session=session, counted=counted, **place)
        self.try_(counts.submit, session=session)

    @rule(item=st.integers(0, 3), site=st.integers(0, 1), quantity=st.integers(-6, 6))
    def adjust(self, item, site, quantity):
        self.try_(
            stock.adjust,
            item_id=self.items[item].pk,
            site_id=self.sites[site].pk,
            quantity=Decimal(quantity),
            reason="found",
        )

    @invariant()
    def the_books_agree(self):
        assert books_agree()
        for balance in StockBalance.objects.select_related("item"):
            if not balance.item.may_be_negative:
                assert balance.on_hand >= 0
            if balance.on_hand >= 0:
                assert balance.reserved + balance.held <= balance.on_hand


@pytest.mark.django_db
def test_whatever_happens_the_books_agree():
    run_state_machine_as_test(
        Store,
        settings=stateful(examples=12, steps=25),
    )
