"""Rules of automatic ordering as pages and the rule itself read them."""

from erp.models import AutoOrderRule


def auto_order_rules(*, site_id: int) -> list[AutoOrderRule]:
    """The site's rules of items and suppliers, with these; one query."""
    rules = AutoOrderRule.objects.filter(site=site_id)
    return list(
        rules.select_related("item", "supplier", "decided_by").order_by(
            "item__code", "supplier__code", "pk"
        )
    )


def rule_subject(rule: AutoOrderRule) -> str:
    """What a rule is about: "BOLT · NEAR", or one of them."""
    return " · ".join(one.code for one in (rule.item, rule.supplier) if one is not None)
