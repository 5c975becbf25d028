"""A site's rules for planning and purchasing."""

from datetime import datetime

from django.db import transaction

from common import audit, concurrency
from common.models import User
from erp.models import SupplyRule

_FIELDS = (
    "plans_itself",
    "tolerance_days",
    "approval_limit",
    "auto_order_limit",
    "over_delivery",
    "under_delivery",
)


def save(*, rule: SupplyRule, opened: int, by: User | None, now: datetime) -> SupplyRule:
    """Keep the rules; raise StaleWrite where somebody else changed them meanwhile."""
    with transaction.atomic():
        before = SupplyRule.objects.select_for_update(no_key=True).filter(site=rule.site_id).first()
        if before is not None:
            concurrency.check_version(before, opened=opened)
            rule.pk, rule.version = before.pk, before.version + 1
        rule.save()
        old = {name: str(getattr(before, name, None)) for name in _FIELDS}
        new = {name: str(getattr(rule, name)) for name in _FIELDS}
        audit.record(
            action="erp.supply_rule.save",
            target=rule,
            by=by,
            now=now,
            changes=audit.difference(old, new),
        )
    return rule
