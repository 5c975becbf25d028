"""Each named constraint of the store is violated once."""

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from erp.enums import BinKind
from erp.models import (
    AutoOrderRule,
    Bin,
    CostEntry,
    CountLine,
    CountSession,
    MrpRun,
    Proposal,
    ProposalPeg,
    PurchaseReceipt,
    Reservation,
    Staging,
    StockMove,
    Supply,
    SupplyRule,
    Warehouse,
)
from erp.services import warehouses
from tests.erp import factories
from tests.traceability.factories import LotFactory, SerialUnitFactory
from traceability.models import Hold

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
    ("on_hand", "reserved", "held"),
    [(5, 6, 0), (5, -1, 0), (5, 3, 3), (5, 0, 6), (5, 0, -1)],
)
def test_a_balance_keeps_neither_more_than_it_has_nor_less_than_nothing(on_hand, reserved, held):
    refused(
        "erp_stockbalance_reserved_within_on_hand",
        lambda: factories.StockBalanceFactory(on_hand=on_hand, reserved=reserved, held=held),
    )


def test_a_balance_is_never_negative():
    refused(
        "erp_stockbalance_on_hand_not_negative",
        lambda: factories.StockBalanceFactory(on_hand=-1, reserved=0),
    )
    assert factories.StockBalanceFactory(on_hand=-1, allows_negative=True)


def test_a_quant_is_one_per_place_and_holds_what_may_lie_there():
    lot, unit = LotFactory(), SerialUnitFactory()
    quant = factories.StockQuantFactory(item=lot.item, lot=lot, quantity=5)
    site = quant.bin.warehouse.site
    refused(
        "erp_stockquant_once_per_place",
        lambda: factories.StockQuantFactory(bin=quant.bin, item=lot.item, lot=lot, quantity=1),
    )
    loose = factories.StockQuantFactory(bin=quant.bin, quantity=5)
    refused(
        "erp_stockquant_once_per_place",
        lambda: factories.StockQuantFactory(bin=quant.bin, item=loose.item, quantity=1),
    )
    factories.StockQuantFactory(bin=quant.bin, item=unit.item, unit=unit, quantity=1)
    elsewhere = warehouses.bin_for(site_id=site.pk, kind=BinKind.SHIPPING)
    refused(
        "erp_stockquant_unit_in_one_place",
        lambda: factories.StockQuantFactory(bin=elsewhere, item=unit.item, unit=unit, quantity=1),
    )
    other = SerialUnitFactory()
    refused(
        "erp_stockquant_unit_is_one_piece",
        lambda: factories.StockQuantFactory(item=other.item, unit=other, quantity=2),
    )
    refused("erp_stockquant_not_negative", lambda: factories.StockQuantFactory(quantity=-1))
    refused(
        "erp_stockquant_not_negative",
        lambda: factories.StockQuantFactory(
            bin=elsewhere, item=lot.item, lot=lot, quantity=-1, allows_negative=True
        ),
    )
    for staged, held in ((6, False), (-1, False), (1, True)):
        refused(
            "erp_stockquant_staged_within_quantity",
            lambda staged=staged, held=held: factories.StockQuantFactory(
                quantity=5, staged=staged, is_held=held
            ),
        )


def test_places_have_one_code_and_a_staging_is_one_per_quant():
    quant, requirement = factories.StockQuantFactory(quantity=5), factories.RequirementFactory()
    store = quant.bin.warehouse
    refused(
        "erp_warehouse_once_per_site",
        lambda: Warehouse.objects.create(site=store.site, code=store.code),
    )
    refused(
        "erp_bin_once_per_warehouse",
        lambda: Bin.objects.create(warehouse=store, code=quant.bin.code, kind="storage"),
    )
    row = {"requirement": requirement, "quant": quant}
    refused("erp_staging_quantity_positive", lambda: Staging.objects.create(**row, quantity=0))
    Staging.objects.create(**row, quantity=1)
    refused("erp_staging_once_per_quant", lambda: Staging.objects.create(**row, quantity=1))


def test_a_place_is_counted_once_in_a_session_and_never_below_zero():
    quant = factories.StockQuantFactory(quantity=5)
    now = timezone.now()
    session = CountSession.objects.create(
        number="CT-1", site=quant.bin.warehouse.site, started_at=now
    )
    row = {
        "session": session,
        "bin": quant.bin,
        "item": quant.item,
        "expected": 5,
        "counted_at": now,
    }
    refused(
        "erp_countline_counted_not_negative", lambda: CountLine.objects.create(**row, counted=-1)
    )
    CountLine.objects.create(**row, counted=4)
    refused("erp_countline_once_per_place", lambda: CountLine.objects.create(**row, counted=4))


@pytest.mark.parametrize(
    "change", ["UPDATE erp_stockmove SET quantity = 9", "DELETE FROM erp_stockmove"]
)
def test_a_move_is_never_altered(change):
    quant = factories.StockQuantFactory(quantity=5)
    StockMove.objects.create(
        item=quant.item,
        site=quant.bin.warehouse.site,
        bin=quant.bin,
        kind="receipt",
        quantity=5,
        reference="x",
        at=timezone.now(),
    )
    with (
        pytest.raises(ProgrammingError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


def test_a_move_moves_something():
    balance = factories.StockBalanceFactory()
    place = warehouses.bin_for(site_id=balance.site_id, kind=BinKind.STORAGE)
    refused(
        "erp_stockmove_moves_something",
        lambda: StockMove.objects.create(
            item=balance.item,
            site=balance.site,
            bin=place,
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


def test_a_rule_of_automatic_ordering_is_about_something_and_there_once():
    site, item = factories.SiteFactory(), factories.ItemFactory()
    given = {"site": site, "reason": "screws", "decided_at": timezone.now(), "limit": 50}
    refused("erp_autoorderrule_names_something", lambda: AutoOrderRule.objects.create(**given))
    refused(
        "erp_autoorderrule_limit_not_negative",
        lambda: AutoOrderRule.objects.create(**{**given, "limit": -1}, item=item),
    )
    AutoOrderRule.objects.create(**given, item=item)
    refused("erp_autoorderrule_once", lambda: AutoOrderRule.objects.create(**given, item=item))


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
        pytest.raises(ProgrammingError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    entry.refresh_from_db()
    assert entry.amount == 5


def run(statement):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE erp_purchasereceipt SET quantity = 9", "DELETE FROM erp_purchasereceipt"],
)
def test_a_receipt_is_never_altered(statement, now):
    line, today = factories.PurchaseOrderLineFactory(), now.date()
    PurchaseReceipt.objects.create(
        line=line, kind="accepted", quantity=1, at=now, day=today, promised_date=today
    )
    with pytest.raises(ProgrammingError, match="erp_purchasereceipt is append-only"):
        run(statement)
    assert PurchaseReceipt.objects.get().quantity == 1


@pytest.mark.parametrize(
    "statement",
    ["UPDATE traceability_hold SET reason = 'another'", "DELETE FROM traceability_hold"],
)
def test_of_a_hold_only_its_release_is_filled_in_later(statement, now):
    Hold.objects.create(lot=LotFactory(), reason="crack", placed_at=now)
    with pytest.raises(ProgrammingError, match="traceability_hold is append-only"):
        run(statement)
    Hold.objects.update(released_at=now, release_reason="tested")
    assert Hold.objects.get().reason == "crack"
