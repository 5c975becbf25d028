"""How far orders are: state and milestones, read off from the work and the stock behind them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from common import bulk, transitions
from crm.enums import ORDER_TRANSITIONS, ConversionState, MilestoneKind, OrderState
from crm.models import SalesOrder, SalesOrderLine
from crm.services import milestones
from erp import selectors as erp
from mes import selectors as mes


def note_work_order(*, work_order_id: int, now: datetime) -> None:
    """Bring the orders that a work order serves up to date, in the caller's transaction."""
    requirement_ids = mes.requirements_served(work_order_id)
    refresh(
        order_ids=SalesOrderLine.objects.filter(requirement__in=requirement_ids)
        .order_by("order_id")
        .values_list("order_id", flat=True)
        .distinct(),
        now=now,
    )


def refresh_site(*, site_id: int, now: datetime) -> None:
    """Bring all open orders of a site up to date: goods came in, or were taken away by a hold."""
    waiting = [OrderState.APPROVED, OrderState.IN_PRODUCTION, OrderState.READY_TO_SHIP]
    refresh(
        order_ids=SalesOrder.objects.filter(site_id=site_id, state__in=waiting).values_list(
            "pk", flat=True
        ),
        now=now,
    )


def refresh(*, order_ids: Iterable[int], now: datetime) -> None:
    """Move the orders to in production or ready to ship where the facts say so."""
    orders = {
        order.pk: order
        for order in SalesOrder.objects.select_for_update(no_key=True)
        .filter(pk__in=list(order_ids), state__in=OrderState.open())
        .order_by("pk")
    }
    lines = list(SalesOrderLine.objects.filter(order__in=orders, is_cancelled=False))
    requirement_ids = [line.requirement_id for line in lines if line.requirement_id]
    ready = erp.reserved_quantities(requirement_ids)
    started = mes.requirements_started(requirement_ids)
    facts = {
        order.pk: _Facts.of([line for line in lines if line.order_id == order.pk], ready, started)
        for order in orders.values()
    }
    begun = [pk for pk, fact in facts.items() if fact.has_started]
    finished = [pk for pk, fact in facts.items() if fact.is_ready]
    milestones.reach(order_ids=begun, kind=MilestoneKind.STARTED, now=now)
    milestones.reach(order_ids=finished, kind=MilestoneKind.FINISHED, now=now)
    # A larger quantity, or stock that was taken away again.
    undone = orders.keys() - set(finished)
    milestones.take_back(order_ids=undone, kind=MilestoneKind.FINISHED)
    changed = [order for order in orders.values() if _advance(order, facts[order.pk])]
    bulk.save(changed, ["state"])


@dataclass(frozen=True, slots=True)
class _Facts:
    has_started: bool
    is_ready: bool

    @classmethod
    def of(
        cls,
        lines: Sequence[SalesOrderLine],
        ready: Mapping[int, Decimal],
        started: frozenset[int],
    ) -> "_Facts":
        return cls(
            has_started=any(line.requirement_id in started for line in lines),
            is_ready=bool(lines) and all(_is_ready(line, ready) for line in lines),
        )


def _advance(order: SalesOrder, facts: _Facts) -> bool:
    """Set the order's state by the facts; whether it changed."""
    new = OrderState(order.state)
    if order.state == OrderState.PARTLY_SHIPPED:
        return False
    if facts.is_ready:
        new = OrderState.READY_TO_SHIP
    elif facts.has_started or order.state == OrderState.READY_TO_SHIP:
        new = OrderState.IN_PRODUCTION
    if new == order.state:
        return False
    transitions.check(ORDER_TRANSITIONS, old=OrderState(order.state), new=new)
    order.state = new
    return True


def _is_ready(line: SalesOrderLine, ready: Mapping[int, Decimal]) -> bool:
    if line.conversion_state != ConversionState.CONVERTED or line.requirement_id is None:
        return False
    return ready.get(line.requirement_id, Decimal(0)) >= line.quantity - line.shipped
