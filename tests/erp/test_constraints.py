"""Each named constraint of the store is violated once."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from erp.models import (
    MrpRun,
    Proposal,
    ProposalPeg,
    PurchaseReceipt,
    Reservation,
    StockMove,
    Supply,
    SupplyRule,
)
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


def test_a_source_of_supply_has_one_row_with_something_to_come():
    line = factories.PurchaseOrderLineFactory()
    row = Supply.objects.get(source_id=line.pk)
    row.pk = None
    refused("erp_supply_once_per_source", row.save)
    empty = Supply.objects.get(source_id=line.pk)
    empty.quantity = 0
    refused("erp_supply_quantity_positive", empty.save)


def test_rules_runs_and_proposals_are_well_formed():
    site, item = factories.SiteFactory(), factories.ItemFactory()
    refused(
        "erp_supplyrule_shares_well_formed",
        lambda: SupplyRule.objects.create(site=site, over_delivery=-1),
    )
    now = timezone.now()
    run = MrpRun.objects.create(site=site, requested_at=now)
    refused(
        "erp_mrprun_one_waiting_per_site",
        lambda: MrpRun.objects.create(site=site, requested_at=now),
    )
    given = {"run": run, "site": site, "item": item, "system_due_date": now.date()}
    given |= {"system_release_date": now.date(), "system_quantity": 1}
    refused(
        "erp_proposal_quantities_not_negative",
        lambda: Proposal.objects.create(**{**given, "system_quantity": -1}, action="buy"),
    )
    refused(
        "erp_proposal_message_names_supply",
        lambda: Proposal.objects.create(**given, action="cancel"),
    )
    proposal = Proposal.objects.create(**given, action="buy")
    refused(
        "erp_proposalpeg_quantity_positive",
        lambda: ProposalPeg.objects.create(proposal=proposal, quantity=0),
    )
    refused(
        "erp_proposalpeg_names_one",
        lambda: ProposalPeg.objects.create(
            proposal=proposal,
            quantity=1,
            parent=proposal,
            requirement=factories.RequirementFactory(),
        ),
    )


def test_a_receipt_of_a_purchase_brings_something():
    line = factories.PurchaseOrderLineFactory()
    today = timezone.now()
    refused(
        "erp_purchasereceipt_quantity_positive",
        lambda: PurchaseReceipt.objects.create(
            line=line,
            kind="accepted",
            quantity=0,
            at=today,
            day=today.date(),
            promised_date=today.date(),
        ),
    )
