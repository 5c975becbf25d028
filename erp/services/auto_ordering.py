"""What is ordered by itself: the site's limit, and narrower rules of items and suppliers."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction

from common import audit
from common.models import User
from erp import policies_purchasing as policies
from erp import selectors
from erp.enums import ProposalAction, ProposalState
from erp.models import AutoOrderRule, Proposal
from erp.services import proposals, purchase_orders
from masterdata import selectors as masterdata


@dataclass(frozen=True, slots=True)
class _Decision:
    limit: Decimal
    # None: the site's own limit.
    rule: AutoOrderRule | None

    def sentence(self, value: Decimal, currency: str) -> str:
        """For the audit, in no language: "BOLT · NEAR: 35.00 ≤ 50.00 USD (small parts, anna)"."""
        amounts = f"{value:.2f} ≤ {self.limit:.2f} {currency}"
        if self.rule is None:
            return f"*: {amounts}"
        by = f", {self.rule.decided_by}" if self.rule.decided_by else ""
        return f"{selectors.rule_subject(self.rule)}: {amounts} ({self.rule.reason}{by})"


def save(
    *,
    site_id: int,
    item_id: int | None,
    supplier_id: int | None,
    limit: Decimal,
    reason: str,
    by: User | None,
    now: datetime,
) -> AutoOrderRule:
    """Order an item, from a supplier or both, by itself up to a value (0: never).

    The one that is there is replaced. Raise CannotDecide without a reason, or naming neither.
    """
    with transaction.atomic():
        policies.check_can_rule(item_id, supplier_id, limit, reason)
        subject = {"site_id": site_id, "item_id": item_id, "supplier_id": supplier_id}
        held = AutoOrderRule.objects.select_for_update(no_key=True).filter(**subject).first()
        rule = held or AutoOrderRule(**subject)
        before = {"limit": f"{rule.limit:.2f}", "reason": rule.reason} if held else {}
        rule.limit, rule.reason = limit, reason.strip()[:200]
        rule.decided_by, rule.decided_at = by, now
        rule.save()
        after = {"limit": f"{limit:.2f}", "reason": rule.reason}
        audit.record(
            action="erp.auto_order_rule.save",
            target=rule,
            by=by,
            now=now,
            reason=reason,
            changes=audit.difference(before, after),
        )
    return rule


def remove(*, rule: AutoOrderRule, by: User | None, now: datetime) -> None:
    """Let the wider rules count again."""
    with transaction.atomic():
        held = AutoOrderRule.objects.select_for_update().get(pk=rule.pk)
        changes = {"limit": [f"{held.limit:.2f}", None], "reason": [held.reason, None]}
        audit.record(
            action="erp.auto_order_rule.remove", target=held, by=by, now=now, changes=changes
        )
        held.delete()


def order_by_rule(*, reading: selectors.Reading, site_id: int, today: date, now: datetime) -> int:
    """Order what is due for ordering and stays below its limit; return how many lines.

    Only what nobody overrode, and only more: changes of existing orders are left to people. An
    order that needs approval stays a draft, and so does one whose value nobody can tell. Nothing of
    an item that somebody ordered, received or needs less of since the reading: the next run knows.
    The caller holds the site's supply.
    """
    rule = selectors.supply_rule(site_id)
    rules = selectors.auto_order_rules(site_id=site_id)
    if rule.auto_order_limit <= 0 and not rules:
        return 0
    found = Proposal.objects.filter(
        site=site_id,
        state=ProposalState.OPEN,
        action=ProposalAction.BUY,
        system_supplier__isnull=False,
        system_quantity__gt=0,
        system_release_date__lte=today,
        price__gt=0,
    )
    site = masterdata.site(site_id)
    currency = site.currency
    money = masterdata.exchange(into=currency, on=today)
    narrow = {(one.item_id, one.supplier_id): one for one in rules}
    why: dict[int, str] = {}
    eased = selectors.better_covered(reading, site_id=site_id, zone=ZoneInfo(site.time_zone))
    for proposal in found.exclude(item__in=eased).order_by("pk"):
        if proposal.is_overridden or not money.knows(proposal.currency or currency):
            continue
        value = money.convert(
            proposal.system_quantity * proposal.price, proposal.currency or currency
        )
        decision = _decide(proposal, narrow, rule.auto_order_limit)
        if value <= decision.limit:
            why[proposal.pk] = decision.sentence(value, currency)
    if not why:
        return 0
    done = proposals.accept(site_id=site_id, proposal_ids=list(why), by=None, now=now, why=why)
    for order in done.orders:
        if not policies.needs_approval(order, rule):
            purchase_orders.submit(order=order, by=None, now=now)
    return len(why) - len(done.refused)


def _decide(
    proposal: Proposal,
    narrow: dict[tuple[int | None, int | None], AutoOrderRule],
    limit: Decimal,
) -> _Decision:
    item, supplier = proposal.item_id, proposal.system_supplier_id
    for key in ((item, supplier), (item, None), (None, supplier)):
        if key in narrow:
            return _Decision(narrow[key].limit, narrow[key])
    return _Decision(limit, None)
