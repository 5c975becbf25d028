"""Needs of made items that lost their stock are planned anew."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from common import audit, events
from common.concurrency import Lock, lock
from common.models import User
from erp import selectors as erp
from erp.services import reservations
from masterdata import selectors as masterdata
from masterdata.enums import Supply
from mes import selectors
from mes.events import NeedsCovered
from mes.services import supply

ZERO = Decimal(0)


def cover_again(*, site_id: int, by: User | None, now: datetime) -> int:
    """Plan what neither stock, work orders nor consignments cover; return how many needs that were.

    What cannot be made stays open, with the reason in the trail: shortage lists show it.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        given = _give_stock(site_id, now)
        waiting = erp.waiting(site_id=site_id, supply=Supply.MAKE)
        shares = selectors.open_shares([row.requirement_id for row in waiting])
        transit = selectors.transit(site_id=site_id, now=now)
        demands = []
        for row in waiting:
            made = sum((s.left for s in shares.get(row.requirement_id, [])), ZERO)
            if row.quantity > made + transit.covered(row.requirement_id):
                demands.append(supply.Demand(row.requirement_id, row.quantity - made))
        if not demands and not given:
            return 0
        plan = supply.plan(site_id=site_id, demands=demands, by=by, now=now)
        # Some may have got what lies in the store: whoever waits for them looks again.
        events.publish(NeedsCovered(site_id=site_id), by=by, now=now)
        for sentence in plan.failures.values():
            audit.record(
                action="mes.work_order.replan_failed",
                target=masterdata.site(site_id),
                by=by,
                now=now,
                reason=sentence,
            )
    return len(given | {demand.requirement_id for demand in demands})


def _give_stock(site_id: int, now: datetime) -> set[int]:
    """Keep what lies free for those who wait, the longest first; return who got some, by id."""
    rows = erp.waiting(site_id=site_id, supply=Supply.MAKE)
    free = erp.free_stock(site_id=site_id, item_ids={row.item_id for row in rows})
    given = {
        row.requirement_id: row.quantity
        for row in selectors.owed(site_id=site_id, now=now, free=free)
    }
    reservations.reserve(given)
    return set(given)


def cover_late(*, by: User | None, now: datetime) -> None:
    """Plan for those who wait for a consignment that should have come."""
    for site_id in erp.sites_with_late_transit(now=now):
        cover_again(site_id=site_id, by=by, now=now)
