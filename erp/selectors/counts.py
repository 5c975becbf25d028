"""Counts of the store and what differs."""

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Abs

from erp.enums import CountState, MoveKind
from erp.models import CountLine, CountSession, StockMove

if TYPE_CHECKING:
    from masterdata.models import Item

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


def posted_alone(
    *, site_id: int, since: datetime, by_id: int | None, items: "Collection[Item]"
) -> Decimal | None:
    """What was booked at a site since a moment without a second person, at standard cost.

    Counts of the person, and of the items counts and corrections of anybody; up and down add up.
    None where one of it has no cost any more. Two queries.
    """
    ids = [item.pk for item in items]
    alone = Q(session__closed_by=F("session__submitted_by")) | Q(session__closed_by=None)
    lines = CountLine.objects.filter(
        alone,
        Q(session__submitted_by=by_id) | Q(item__in=ids),
        session__site=site_id,
        session__state=CountState.POSTED,
        session__closed_at__gte=since,
    )
    counted = variance_value(lines.exclude(counted=F("expected")).select_related("item"))
    if counted is None:
        return None
    costs = {item.pk: item.standard_cost for item in items}
    corrected = (
        StockMove.objects.filter(
            item__in=ids, site=site_id, at__gte=since, kind=MoveKind.ADJUSTMENT
        )
        .order_by()
        .values_list("item")
        .annotate(total=Sum(Abs("quantity")))
    )
    return counted + sum((total * costs[pk] for pk, total in corrected), ZERO)
