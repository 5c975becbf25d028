"""The steps an order has reached; each is written by the fact that reached it."""

from collections.abc import Iterable
from datetime import datetime

from crm.enums import MilestoneKind
from crm.models import Milestone


def reach(*, order_ids: Iterable[int], kind: MilestoneKind, now: datetime) -> None:
    """Note that the orders have reached a step; the first time counts."""
    Milestone.objects.bulk_create(
        [Milestone(order_id=pk, kind=kind, at=now) for pk in order_ids], ignore_conflicts=True
    )


def take_back(*, order_ids: Iterable[int], kind: MilestoneKind) -> None:
    """Note that a step is not reached any more: there is more to do than there was."""
    Milestone.objects.filter(order__in=list(order_ids), kind=kind).delete()
