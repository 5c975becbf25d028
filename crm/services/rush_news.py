"""Who should know what of a rush."""

from datetime import date, datetime

from django.urls import reverse

from common.enums import Level, Role
from common.models import User
from common.notifications import notify
from crm.models import RushRequest

# Who buys, picks and ships for the line.
CONCERNED = (Role.PURCHASING, Role.WAREHOUSE)
DECIDERS = (Role.PLANNER, Role.SUPERVISOR)


def to_decide(rush: RushRequest, *, now: datetime) -> None:
    """Planners and supervisors decide."""
    notify(
        kind="crm.rush_to_decide",
        parameters={**_facts(rush), "day": str(rush.wanted_date)},
        roles=DECIDERS,
        level=Level.WARNING,
        url=_page(rush),
        now=now,
    )


def assessed(rush: RushRequest, *, now: datetime) -> None:
    """Whoever asked sees what it would cost."""
    notify(
        kind="crm.rush_assessed",
        parameters=_facts(rush),
        users=_author(rush),
        url=_page(rush),
        now=now,
    )


def kept(rush: RushRequest, *, now: datetime) -> None:
    """Whoever asked may tell the customer, and withdraw what is not needed any more."""
    notify(
        kind="crm.rush_kept",
        parameters={**_facts(rush), "day": str(rush.wanted_date)},
        users=_author(rush),
        url=_page(rush),
        now=now,
    )


def approved(rush: RushRequest, day: date, *, now: datetime) -> None:
    """Whoever asked may tell the customer."""
    notify(
        kind="crm.rush_approved",
        parameters={**_facts(rush), "day": str(day)},
        users=_author(rush),
        url=_page(rush),
        now=now,
    )


def rejected(rush: RushRequest, *, now: datetime) -> None:
    """Whoever asked hears why not."""
    notify(
        kind="crm.rush_rejected",
        parameters={**_facts(rush), "reason": rush.decision_reason},
        users=_author(rush),
        level=Level.WARNING,
        url=_page(rush),
        now=now,
    )


def applied(rush: RushRequest, day: date, *, now: datetime) -> None:
    """Purchasing hurries material, the warehouse picks and ships earlier."""
    notify(
        kind="crm.rush_applied",
        parameters={
            "order": rush.line.order.number,
            "line": rush.line.position,
            "day": str(day),
        },
        roles=CONCERNED,
        level=Level.WARNING,
        url=_page(rush),
        now=now,
    )


def _facts(rush: RushRequest) -> dict[str, str | int]:
    return {
        "rush": rush.number,
        "order": rush.line.order.number,
        "line": rush.line.position,
    }


def _author(rush: RushRequest) -> list[User]:
    return [rush.requested_by] if rush.requested_by else []


def _page(rush: RushRequest) -> str:
    return reverse("crm:rush-detail", kwargs={"number": rush.number})
