"""Many orders approved with one click: worked off in chunks by jobs, watched on one page."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from common import jobs
from common.errors import Refused
from common.models import User
from crm.models import BulkApproval, SalesOrder
from crm.services import orders

CHUNK = 50


def request(*, order_ids: Sequence[int], by: User, now: datetime) -> BulkApproval:
    """Ask for the approval of the orders; returns at once."""
    with transaction.atomic():
        bulk = BulkApproval.objects.create(order_ids=sorted(set(order_ids)), by=by, at=now)
        _ask_for_next(bulk, now)
    return bulk


def approve_next(*, bulk_id: int, by: User | None, now: datetime) -> None:
    """Approve the next chunk, in the caller's transaction; a refused order keeps its reason."""
    bulk = BulkApproval.objects.select_for_update(no_key=True).get(pk=bulk_id)
    chunk = bulk.order_ids[bulk.handled : bulk.handled + CHUNK]
    for order in SalesOrder.objects.filter(pk__in=chunk).order_by("pk"):
        try:
            with transaction.atomic():
                orders.approve(order=order, by=bulk.by, now=now)
        except Refused as refusal:
            bulk.refused[order.number] = str(refusal)
    bulk.handled += len(chunk)
    bulk.save(update_fields=["handled", "refused"])
    if bulk.handled < len(bulk.order_ids):
        _ask_for_next(bulk, now)


def _ask_for_next(bulk: BulkApproval, now: datetime) -> None:
    jobs.enqueue(
        "crm.approve_next",
        key=f"approve:{bulk.pk}:{bulk.handled}",
        now=now,
        by=bulk.by,
        bulk_id=bulk.pk,
    )
