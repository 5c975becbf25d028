"""Each named constraint of the store is violated once."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from erp.models import CostEntry, Reservation, StockMove
from tests.erp import factories

pytestmark = pytest.mark.django_db


def refused(name, act):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        act()


def test_a_balance_exists_once_per_item_and_site():
    balance = factories.StockBalanceFactory()
    refused(
        "erp_stockbalance_once_per_site",
        lambda: factories.StockBalanceFactory(item=balance.item, site=balance.site),
    )


@pytest.mark.parametrize(
    ("on_hand", "reserved"),
    [(5, 6), (5, -1)],
)
def test_a_balance_reserves_neither_more_than_it_has_nor_less_than_nothing(on_hand, reserved):
    refused(
        "erp_stockbalance_reserved_within_on_hand",
        lambda: factories.StockBalanceFactory(on_hand=on_hand, reserved=reserved),
    )


def test_a_balance_is_never_negative():
    refused(
        "erp_stockbalance_on_hand_not_negative",
        lambda: factories.StockBalanceFactory(on_hand=-1, reserved=0),
    )


def test_a_move_moves_something():
    balance = factories.StockBalanceFactory()
    refused(
        "erp_stockmove_moves_something",
        lambda: StockMove.objects.create(
            item=balance.item,
            site=balance.site,
            kind="receipt",
            quantity=0,
            reference="x",
            at=timezone.now(),
        ),
    )


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("erp_requirement_quantities_not_negative", {"quantity": 1, "issued": -1}),
        ("erp_requirement_issued_within_quantity", {"quantity": 1, "issued": 2}),
    ],
)
def test_a_requirement_has_sound_quantities(name, figures):
    refused(name, lambda: factories.RequirementFactory(**figures))


def test_a_reservation_is_one_per_requirement_and_above_zero():
    requirement, balance = factories.RequirementFactory(), factories.StockBalanceFactory()
    row = {"requirement": requirement, "balance": balance}
    refused(
        "erp_reservation_quantity_positive",
        lambda: Reservation.objects.create(**row, quantity=0),
    )
    Reservation.objects.create(**row, quantity=1)
    refused(
        "erp_reservation_once_per_requirement",
        lambda: Reservation.objects.create(**row, quantity=1),
    )


def test_a_purchase_order_line_has_its_own_position_and_sound_quantities():
    line = factories.PurchaseOrderLineFactory()
    refused(
        "erp_purchaseorderline_once_per_position",
        lambda: factories.PurchaseOrderLineFactory(order=line.order, position=line.position),
    )
    refused(
        "erp_purchaseorderline_quantities_well_formed",
        lambda: factories.PurchaseOrderLineFactory(quantity=0),
    )


@pytest.fixture
def cost():
    balance = factories.StockBalanceFactory()

    def enter(**fields):
        values = {
            "site": balance.site,
            "item": balance.item,
            "kind": "labour",
            "amount": 5,
            "currency": "USD",
            "work_order": "WO-1",
            "source": "time:1",
            "at": timezone.now(),
        }
        return CostEntry.objects.create(**{**values, **fields})

    return enter


def test_a_fact_costs_once(cost):
    cost()
    cost(kind="machine")
    refused("erp_costentry_once_per_fact", cost)


@pytest.mark.parametrize(("kind", "cause"), [("labour", "rate"), ("variance", "")])
def test_variances_have_a_cause_and_nothing_else_has(cost, kind, cause):
    refused(
        "erp_costentry_only_variances_have_a_cause",
        lambda: cost(kind=kind, cause=cause),
    )


def test_an_entry_books_something(cost):
    refused("erp_costentry_books_something", lambda: cost(amount=0))


@pytest.mark.parametrize(
    "statement", ["UPDATE erp_costentry SET amount = 1", "DELETE FROM erp_costentry"]
)
def test_the_cost_ledger_is_append_only(cost, statement):
    entry = cost()
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    entry.refresh_from_db()
    assert entry.amount == 5
