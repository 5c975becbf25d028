"""What is ordered by itself: the site's limit, narrower rules, and who and why in the audit."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from common.models import AuditEntry
from erp import mrp
from erp.enums import PurchaseOrderState
from erp.models import AutoOrderRule, Proposal, PurchaseOrder, SupplyRule
from erp.policies_purchasing import CannotDecide
from erp.services import auto_ordering, supplies
from masterdata.models import SupplierPrice
from tests.erp.factories import PurchaseOrderFactory, PurchaseOrderLineFactory
from tests.erp.test_planning import Buying, override
from tests.factories import UserFactory
from tests.masterdata.factories import ExchangeRateFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def buying(now):
    return Buying(now)


def rule(buying, limit, *, item=None, supplier=None, reason="small parts", by=None):
    return auto_ordering.save(
        site_id=buying.site.pk,
        item_id=item.pk if item else None,
        supplier_id=supplier.pk if supplier else None,
        limit=Decimal(limit),
        reason=reason,
        by=by,
        now=buying.now,
    )


def ordered():
    lines = PurchaseOrder.objects.filter(lines__isnull=False)
    return sorted(lines.values_list("lines__item__code", "lines__quantity", "state"))


def test_the_narrowest_rule_counts_before_the_sites_limit(buying):
    SupplyRule.objects.create(site=buying.site, auto_order_limit=1000)
    buying.need("LEG", 10, days=5)  # 35.00 from NEAR
    buying.need("TOP", 2, days=5)  # 80.00 from NEAR
    rule(buying, 0, supplier=buying.near)
    rule(buying, 34, item=buying.leg)
    assert buying.run().counts["by_rule"] == 0
    # Of the item from this supplier: wider than the item's own rule.
    rule(buying, 35, item=buying.leg, supplier=buying.near)
    assert buying.run().counts["by_rule"] == 1
    assert ordered() == [("LEG", Decimal(10), PurchaseOrderState.SENT)]


def test_a_rule_of_one_item_works_where_the_site_orders_nothing_by_itself(buying):
    buying.need("LEG", 10, days=5)
    buying.need("TOP", 2, days=5)
    rule(buying, 100, item=buying.top)
    buying.run()
    assert [code for code, *_rest in ordered()] == ["TOP"]


def test_the_audit_says_which_rule_of_whom_ordered_what_and_why(buying):
    anna = UserFactory(username="anna")
    buying.need("LEG", 10, days=5)
    kept = rule(buying, 50, item=buying.leg, reason="C parts", by=anna)
    buying.run()
    order, proposal = PurchaseOrder.objects.get(), Proposal.objects.get()
    sentence = "LEG: 35.00 ≤ 50.00 USD (C parts, anna)"
    assert proposal.decided_rule == sentence
    told = dict(AuditEntry.objects.filter(actor=None).values_list("action", "reason"))
    assert told["erp.purchase_order.draft_by_rule"] == sentence
    assert told["erp.proposal.order_by_rule"] == sentence
    assert told["erp.proposal.carry_out"] == order.number
    saved = AuditEntry.objects.get(action="erp.auto_order_rule.save")
    assert (saved.actor, saved.changes["limit"]) == (anna, [None, "50.00"])
    rule(buying, 70, item=buying.leg, reason="C parts", by=anna)
    assert AutoOrderRule.objects.get() == kept
    auto_ordering.remove(rule=kept, by=anna, now=buying.now)
    removed = AuditEntry.objects.get(action="erp.auto_order_rule.remove")
    assert removed.changes["limit"] == ["70.00", None]


def test_what_a_person_changed_and_what_would_be_less_is_never_ordered_by_itself(buying):
    rule(buying, 10_000, item=buying.leg)
    rule(buying, 10_000, item=buying.top)
    top = buying.need("TOP", 5, days=5)
    buying.run()
    order = PurchaseOrder.objects.get()
    # Nobody needs it any more: a message, and the order stays as it was sent.
    top.delete()
    buying.need("LEG", 40, days=25)
    buying.run()
    override(buying.one("buy", "LEG"), buying.now, quantity=Decimal(41))
    buying.now += timedelta(days=22)
    buying.run()
    assert Proposal.objects.filter(action="cancel", state="open").exists()
    order.refresh_from_db()
    assert (order.state, order.lines.get().quantity) == (PurchaseOrderState.SENT, 5)
    assert PurchaseOrder.objects.count() == 1


def test_limits_are_in_the_sites_currency_and_unknown_values_are_left_to_people(buying):
    SupplierPrice.objects.filter(item=buying.leg).update(currency="EUR")
    buying.need("LEG", 10, days=5)  # 35.00 EUR
    rule(buying, 37, item=buying.leg)
    run = buying.run()
    assert (run.counts["by_rule"], run.missing_rates) == (0, ["EUR"])
    rate = ExchangeRateFactory(rate="1.10")  # 38.50 USD
    run = buying.run()
    assert (run.counts["by_rule"], run.missing_rates) == (0, [])
    rate.rate = Decimal("1.05")  # 36.75 USD
    rate.save()
    assert buying.run().counts["by_rule"] == 1
    order = PurchaseOrder.objects.get()
    assert (order.currency, order.lines.get().unit_price) == ("EUR", Decimal("3.5"))


def test_offers_are_compared_in_one_currency(buying):
    """FAR asks 2.00 a piece, NEAR 3.50; in which currency decides."""
    buying.need("LEG", 200, days=60)
    assert (buying.run(), buying.one("buy", "LEG").system_supplier)[1] == buying.far
    SupplierPrice.objects.filter(supplier=buying.far).update(currency="EUR")
    assert (buying.run(), buying.one("buy", "LEG").system_supplier)[1] == buying.near  # unknown
    ExchangeRateFactory(rate="1.20", valid_from=date(2026, 1, 1))
    assert (buying.run(), buying.one("buy", "LEG").system_supplier)[1] == buying.far  # 2.40
    ExchangeRateFactory(rate="1.80", valid_from=date(2026, 11, 1))
    assert (buying.run(), buying.one("buy", "LEG").system_supplier)[1] == buying.near  # 3.60


def test_a_rule_names_something_and_has_a_reason(buying):
    with pytest.raises(CannotDecide, match="Name an item"):
        rule(buying, 10)
    with pytest.raises(CannotDecide, match="Say why"):
        rule(buying, 10, item=buying.leg, reason=" ")
    with pytest.raises(CannotDecide, match="zero"):
        rule(buying, -1, item=buying.leg)


def test_what_a_buyer_orders_while_planning_reckons_is_not_ordered_by_rule_again(
    buying, monkeypatch
):
    SupplyRule.objects.create(site=buying.site, auto_order_limit=1000)
    buying.need("LEG", 10, days=5)
    buying.need("TOP", 2, days=5)
    reckon = mrp.run

    def meanwhile(*args, **kwargs):
        order = PurchaseOrderFactory(site=buying.site, supplier=buying.near)
        PurchaseOrderLineFactory(order=order, item=buying.leg, quantity=10)
        supplies.note_purchases([order.pk])
        return reckon(*args, **kwargs)

    monkeypatch.setattr(mrp, "run", meanwhile)
    assert buying.run().counts["by_rule"] == 1
    lines = [code for code, _quantity, _state in ordered()]
    assert lines == ["LEG", "TOP"]
