"""Counts of the store and what differs."""

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Count, F, Q, QuerySet

from erp.models import CountLine, CountSession

ZERO = Decimal(0)


def count_sessions(*, site_id: int | None) -> QuerySet[CountSession]:
    """The site's counts with ``places`` and ``differing``, the newest first."""
    return (
        CountSession.objects.filter(site=site_id)
        .select_related("started_by", "submitted_by", "closed_by")
        .annotate(
            places=Count("lines"),
            differing=Count("lines", filter=~Q(lines__counted=F("lines__expected"))),
        )
        .order_by("-started_at", "-pk")
    )


def count_lines(session: CountSession) -> QuerySet[CountLine]:
    """What was counted, by place."""
    return session.lines.select_related("bin__warehouse", "item", "lot", "unit").order_by(
        "bin__warehouse__code", "bin__code", "item__code", "pk"
    )


def variance_value(lines: Iterable[CountLine]) -> Decimal | None:
    """What the differences are worth at standard cost, more or less alike.

    None where an item that differs has no standard cost: nobody can say.
    """
    total = ZERO
    for line in lines:
        difference = abs(line.counted - line.expected)
        if difference and not line.item.standard_cost:
            return None
        total += difference * line.item.standard_cost
    return total
