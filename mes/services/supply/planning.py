"""Plan supply for requirements: stock, free output, and work orders over all levels."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction

from common import events
from common.concurrency import Lock, lock
from common.models import User
from erp import selectors as erp
from masterdata import selectors as masterdata
from masterdata.services import calendars
from mes import selectors
from mes.events import NeedsCovered, WorkOrdersChanged
from mes.services.supply import book as books
from mes.services.supply.explode import Exploder, Explosion, Need, roots
from mes.services.supply.types import CannotMake, Demand, SupplyPlan
from mes.services.supply.write import write

ZERO = Decimal(0)


def plan(*, site_id: int, demands: Sequence[Demand], by: User | None, now: datetime) -> SupplyPlan:
    """Cover the demands, at most what is not covered yet; in the caller's transaction.

    Asking again for what is covered changes nothing. A demand that cannot be made over all its
    levels is in ``failures`` with a sentence and leaves nothing behind; the others go on.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        needs, time_zone = _uncovered(site_id, demands)
        if not needs:
            return SupplyPlan()
        explosion, failures = _explode(site_id, calendars.zone(time_zone), needs, now)
        touched = _carry_out(explosion, site_id, by, now)
    return SupplyPlan(work_order_ids=touched, failures=failures)


def plan_stock(
    *,
    site_id: int,
    item_id: int,
    quantity: Decimal,
    due_at: datetime,
    by: User | None,
    now: datetime,
) -> tuple[int, ...]:
    """Make so much of an item for nobody yet, over all levels; return the work orders' ids.

    What it makes is free output for whoever comes. Raise CannotMake.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        zone = calendars.zone(masterdata.site(site_id).time_zone)
        book = books.read(site_id=site_id, zone=zone, needs=[(item_id, due_at)], now=now)
        need = Need(item_id, quantity, due_at, priority=0, for_stock=True)
        explosion = Exploder(book).run([need])
        if explosion.failures:
            raise CannotMake(explosion.failures[0][1])
        fresh = [order for order in explosion.orders if any(n is need for n, _q in order.pegs)]
        _carry_out(explosion, site_id, by, now)
    return tuple(order.order_id for order in fresh if order.order_id is not None)


def _carry_out(
    explosion: Explosion, site_id: int, by: User | None, now: datetime
) -> tuple[int, ...]:
    """Write it and tell whom it concerns; return the ids of the work orders it touched."""
    touched = write(explosion, site_id=site_id, by=by, now=now)
    if touched:
        events.publish(WorkOrdersChanged(site_id=site_id), by=by, now=now)
    if explosion.owed:
        # They had waited for it: whoever waits for them looks again.
        events.publish(NeedsCovered(site_id=site_id), by=by, now=now)
    return touched


def _uncovered(site_id: int, demands: Sequence[Demand]) -> tuple[list[Need], str]:
    """What is asked for and not covered yet, and the site's time zone."""
    wanted: dict[int, Decimal] = {}
    for demand in demands:
        wanted[demand.requirement_id] = wanted.get(demand.requirement_id, ZERO) + demand.quantity
    promised = selectors.promised_quantities(wanted)
    needs, time_zone = [], "UTC"
    for row in erp.coverage(wanted):
        pk, time_zone = row.requirement_id, row.time_zone
        quantity = min(wanted[pk], row.missing - promised[pk])
        if row.site_id == site_id and row.is_open and quantity > 0:
            needs.append(Need(row.item_id, quantity, row.due_at, row.weight, pk))
    return needs, time_zone


def _explode(
    site_id: int, zone: ZoneInfo, needs: list[Need], now: datetime
) -> tuple[Explosion, dict[int, str]]:
    """Explode; whoever fails is taken out and the rest exploded again as if it had not asked."""
    wanted = {n.requirement_id: n.quantity for n in needs if n.requirement_id is not None}
    book = books.read(
        site_id=site_id,
        zone=zone,
        needs=[(n.item_id, n.due_at) for n in needs],
        wanted=wanted,
        now=now,
    )
    failures: dict[int, str] = {}
    while True:
        explosion = Exploder(book).run(
            Need(n.item_id, n.quantity, n.due_at, n.priority, n.requirement_id)
            for n in needs
            if n.requirement_id not in failures
        )
        if not explosion.failures:
            return explosion, failures
        for need, sentence in explosion.failures:
            for root in roots(need):
                failures.setdefault(root, sentence)
