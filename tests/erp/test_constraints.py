"""Each named constraint of the store is violated once."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from erp.models import Reservation, StockMove
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
    ("name", "on_hand", "reserved"),
    [
        ("on_hand_not_negative", -1, -1),
        ("reserved_within_on_hand", 5, 6),
        ("reserved_within_on_hand", 5, -1),
    ],
)
def test_a_balance_is_never_negative_nor_reserved_beyond(name, on_hand, reserved):
    refused(
        "erp_stockbalance_(on_hand_not_negative|reserved_within_on_hand)"
        if on_hand < 0
        else f"erp_stockbalance_{name}",
        lambda: factories.StockBalanceFactory(on_hand=on_hand, reserved=reserved),
    )


def test_a_balance_with_nothing_on_hand_reserves_nothing():
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
        ("quantities_not_negative", {"quantity": 1, "issued": -1}),
        ("issued_within_quantity", {"quantity": 1, "issued": 2}),
    ],
)
def test_a_requirement_has_sound_quantities(name, figures):
    refused(f"erp_requirement_{name}", lambda: factories.RequirementFactory(**figures))


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
