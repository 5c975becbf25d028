"""Who should know what of an order: written with the fact, shown in the bell."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.urls import reverse

from common.enums import Level, Role
from common.models import User
from common.notifications import notify
from crm.models import SalesOrder, SalesOrderLine


def submitted(order: SalesOrder, *, now: datetime) -> None:
    """Managers approve; planners make room where a rush is asked for."""
    facts = {"order": order.number, "customer": order.customer.label}
    notify(
        kind="crm.order_submitted",
        parameters=facts,
        roles=[Role.MANAGER],
        url=_page(order),
        now=now,
    )
    if order.lines.filter(is_rush_asked=True).exists():
        notify(
            kind="crm.rush_asked",
            parameters=facts,
            roles=[Role.PLANNER],
            level=Level.WARNING,
            url=_page(order),
            now=now,
        )


def rejected(order: SalesOrder, *, reason: str, now: datetime) -> None:
    """Whoever entered the order has to change it."""
    notify(
        kind="crm.order_rejected",
        parameters={"order": order.number, "reason": reason},
        users=_author(order),
        level=Level.WARNING,
        url=_page(order),
        now=now,
    )


def not_converted(
    lines: Iterable[SalesOrderLine], reasons: Mapping[int, str], *, now: datetime
) -> None:
    """A line without work orders: its author and the planners."""
    for line in lines:
        notify(
            kind="crm.line_not_converted",
            parameters={
                "order": line.order.number,
                "line": line.position,
                "reason": reasons[line.pk],
            },
            users=_author(line.order),
            roles=[Role.PLANNER],
            level=Level.DANGER,
            url=_page(line.order),
            now=now,
        )


def at_risk(lines: Iterable[SalesOrderLine], *, now: datetime) -> None:
    """Lines whose estimate has moved beyond the promise: their authors."""
    for line in lines:
        notify(
            kind="crm.promise_at_risk",
            parameters={
                "order": line.order.number,
                "line": line.position,
                "projected": str(line.projected_date),
                "promised": str(line.promised_date),
            },
            users=_author(line.order),
            level=Level.WARNING,
            url=_page(line.order),
            now=now,
        )


def _author(order: SalesOrder) -> list[User]:
    return [order.created_by] if order.created_by else []


def _page(order: SalesOrder) -> str:
    return reverse("crm:order-detail", kwargs={"number": order.number})
