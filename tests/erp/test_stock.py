"""Goods in and out: never negative, never promised twice, first due first."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from common.models import AuditEntry, Event
from erp.enums import MoveKind, RequirementState
from erp.models import Reservation, StockBalance, StockMove
from erp.policies import CannotReserve
from erp.selectors import balances, free_stock
from erp.services import requirements, reservations, stock
from masterdata.enums import Supply
from tests.erp.factories import (
    PurchaseOrderLineFactory,
    RequirementFactory,
    StockBalanceFactory,
    put_on_stock,
)
from tests.masterdata.factories import ItemFactory, SiteFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def site():
    return SiteFactory()


@pytest.fixture
def item():
    return ItemFactory(code="TUBE", supply=Supply.BUY)


def receive(item, site, quantity, now, kind=MoveKind.RECEIPT):
    return stock.receive(
        item_id=item.pk,
        site_id=site.pk,
        quantity=Decimal(quantity),
        kind=kind,
        reference="PO-1",
        by=None,
        now=now,
    )


def issue(requirement, quantity, now):
    stock.issue(
        requirement_id=requirement.pk,
        quantity=Decimal(quantity),
        reference="SH-1",
        kind=MoveKind.SHIPMENT,
        by=None,
        now=now,
    )


def test_receive_gives_a_bought_item_to_the_first_due_first(item, site, now):

    late = RequirementFactory(item=item, site=site, due_at=now + timedelta(days=9))
    soon = RequirementFactory(item=item, site=site, due_at=now + timedelta(days=2))
    receive(item, site, 14, now)
    assert soon.reservations.get().quantity == 10
    assert late.reservations.get().quantity == 4
    balance = StockBalance.objects.get()
    assert (balance.on_hand, balance.reserved) == (14, 14)
    assert Event.objects.get().topic == "erp.stock.received"
    assert AuditEntry.objects.get().action == "erp.stock.receive"


def test_receive_leaves_a_made_item_to_those_it_is_pegged_to(site, now):
    item = ItemFactory(supply=Supply.MAKE)
    RequirementFactory(item=item, site=site)
    receive(item, site, 14, now, kind=MoveKind.PRODUCTION)
    assert not Reservation.objects.exists()


@pytest.mark.parametrize(
    ("quantity", "kind"), [(0, MoveKind.RECEIPT), (-1, MoveKind.RECEIPT), (1, MoveKind.ISSUE)]
)
def test_receive_refuses_what_brings_nothing(item, site, now, quantity, kind):
    with pytest.raises(stock.CannotReceive):
        receive(item, site, quantity, now, kind=kind)
    assert not StockMove.objects.exists()


def test_issue_takes_reserved_stock_out_and_fulfils(item, site, now):
    requirement = RequirementFactory(item=item, site=site)
    receive(item, site, 12, now)
    issue(requirement, 4, now)
    requirement.refresh_from_db()
    assert (requirement.issued, requirement.state) == (4, RequirementState.OPEN)
    issue(requirement, 6, now)
    requirement.refresh_from_db()
    assert (requirement.issued, requirement.state) == (10, RequirementState.FULFILLED)
    balance = StockBalance.objects.get()
    assert (balance.on_hand, balance.reserved) == (2, 0)
    assert sum(move.quantity for move in StockMove.objects.all()) == 2


def test_issue_refuses_more_than_is_reserved_and_changes_nothing(item, site, now):
    requirement = RequirementFactory(item=item, site=site)
    receive(item, site, 3, now)
    with pytest.raises(stock.CannotIssue, match="3 of TUBE is ready, not 4"):
        issue(requirement, 4, now)
    with pytest.raises(stock.CannotIssue, match="above zero"):
        issue(requirement, 0, now)
    assert StockBalance.objects.get().on_hand == 3


def test_issue_refuses_a_closed_requirement(item, site, now):
    requirement = RequirementFactory(item=item, site=site, state=RequirementState.CANCELLED)
    with pytest.raises(stock.CannotIssue, match="needs nothing more"):
        issue(requirement, 1, now)


def test_adjust_needs_a_reason_and_never_takes_what_is_reserved(item, site, now):
    RequirementFactory(item=item, site=site)
    receive(item, site, 12, now)
    change = {"item_id": item.pk, "site_id": site.pk, "by": None, "now": now}
    with pytest.raises(stock.CannotAdjust, match="Say why"):
        stock.adjust(**change, quantity=Decimal(-1), reason=" ")
    with pytest.raises(stock.CannotAdjust, match="Only 2 of TUBE is free"):
        stock.adjust(**change, quantity=Decimal(-3), reason="count")
    with pytest.raises(stock.CannotAdjust, match="other than zero"):
        stock.adjust(**change, quantity=Decimal(0), reason="count")
    stock.adjust(**change, quantity=Decimal(-2), reason="count")
    assert StockBalance.objects.get().on_hand == 10


def test_set_opening_is_repeatable(item, site, now):
    requirement = RequirementFactory(item=item, site=site)
    rows = [stock.Opening(item.pk, Decimal(8)), stock.Opening(item.pk, Decimal(4))]
    assert stock.set_opening(rows, site_id=site.pk, by=None, now=now) == 1
    assert stock.set_opening(rows, site_id=site.pk, by=None, now=now) == 0
    assert StockBalance.objects.get().on_hand == 12
    assert requirement.reservations.get().quantity == 10
    assert StockMove.objects.count() == 1


def test_reserve_refuses_more_than_is_free_and_keeps_nothing(item, site):
    put_on_stock(item, site, 5)
    one, two = (RequirementFactory(item=item, site=site) for _ in range(2))
    with pytest.raises(CannotReserve, match="Only 5 of TUBE is free, not 6"), transaction.atomic():
        reservations.reserve({one.pk: Decimal(3), two.pk: Decimal(3)})
    assert not Reservation.objects.exists()
    reservations.reserve({one.pk: Decimal(2)})
    reservations.reserve({one.pk: Decimal(1), two.pk: Decimal(2)})
    assert one.reservations.get().quantity == 3
    assert free_stock(site_id=site.pk, item_ids=[item.pk]) == {item.pk: 0}


def test_release_gives_back_at_most_what_is_held(item, site):
    put_on_stock(item, site, 5)
    requirement = RequirementFactory(item=item, site=site)
    reservations.reserve({requirement.pk: Decimal(5)})
    reservations.release({requirement.pk: Decimal(2)})
    assert requirement.reservations.get().quantity == 3
    assert reservations.release({requirement.pk: Decimal(9)}) == {(item.pk, site.pk)}
    assert StockBalance.objects.get().reserved == 0


def test_set_quantities_releases_what_is_too_much_and_cancels_at_zero(item, site):
    put_on_stock(item, site, 10)
    requirement = RequirementFactory(item=item, site=site)
    reservations.reserve({requirement.pk: Decimal(10)})
    requirements.set_quantities({requirement.pk: Decimal(4)})
    assert requirements.uncovered([requirement.pk]) == {requirement.pk: 0}
    assert StockBalance.objects.get().reserved == 4
    requirements.set_quantities({requirement.pk: Decimal(0)})
    requirement.refresh_from_db()
    assert requirement.state == RequirementState.CANCELLED
    assert StockBalance.objects.get().reserved == 0
    with pytest.raises(requirements.CannotChange, match="keeps its quantity"):
        requirements.set_quantities({requirement.pk: Decimal(3)})


def test_set_quantities_fulfils_what_is_issued_whole(item, site, now):
    requirement = RequirementFactory(item=item, site=site, issued=4)
    requirements.set_quantities({requirement.pk: Decimal(4)})
    requirement.refresh_from_db()
    assert requirement.state == RequirementState.FULFILLED


def test_the_stock_list_says_what_is_free_and_on_order(item, site):
    StockBalanceFactory(item=item, site=site, on_hand=9, reserved=4)
    PurchaseOrderLineFactory(order__site=site, item=item, quantity=10, received=3)
    PurchaseOrderLineFactory(order__site=site, order__state="draft", item=item)
    (row,) = balances(site_id=site.pk, text="tub")
    assert (row.free, row.on_order) == (5, 7)
    assert not balances(text="nothing like it").exists()
