"""What is overdue is said once a day to who has to do it, and to quality.

The owner of an action is reminded once before that, a few days before its day.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from common import notifications
from common.enums import Level, Role
from common.models import User
from erp import selectors as erp
from mes.enums import ActionState, NonconformanceState, SupplierRequestState
from mes.models import Nonconformance, QualityAction, Step, SupplierRequest

# An action for Monday is said on Friday, while there is a working day left for it.
DAYS_BEFORE = 3


def remind(*, now: datetime) -> int:
    """Tell of actions, steps and answers whose day is over, and actions soon due; return how many.

    What is overdue once a day, by the day of its site, what is soon due once; repeating it says
    nothing twice.
    """
    told = 0
    with transaction.atomic():
        for site_id, today in sorted(erp.days(now=now).items()):
            told += _soon(site_id, today, now)
            told += _actions(site_id, today, now)
            told += _steps(site_id, today, now)
            told += _answers(site_id, today, now)
    return told


def _unsaid(today: date) -> Q:
    return Q(reminded_on__isnull=True) | Q(reminded_on__lt=today)


def is_soon(due_on: date, today: date) -> bool:
    """Whether so few days are left that its owner is to be reminded."""
    return today <= due_on <= today + timedelta(days=DAYS_BEFORE)


def _soon(site_id: int, today: date, now: datetime) -> int:
    rows = QualityAction.objects.filter(
        reminded_on__isnull=True,
        nonconformance__site=site_id,
        state=ActionState.PLANNED,
        due_on__range=(today, today + timedelta(days=DAYS_BEFORE)),
    ).exclude(nonconformance__state=NonconformanceState.CLOSED)
    found = list(rows.select_related("nonconformance", "owner").order_by("pk"))
    for row in found:
        number = row.nonconformance.number
        notifications.notify(
            kind="mes.action_due_soon",
            parameters={"action": row.title, "number": number, "day": str(row.due_on)},
            users=[row.owner],
            url=reverse("mes:nonconformance", kwargs={"number": number}),
            now=now,
        )
    rows.filter(pk__in=[row.pk for row in found]).update(reminded_on=today)
    return len(found)


def _actions(site_id: int, today: date, now: datetime) -> int:
    rows = QualityAction.objects.filter(
        _unsaid(today),
        nonconformance__site=site_id,
        state=ActionState.PLANNED,
        due_on__lt=today,
    ).exclude(nonconformance__state=NonconformanceState.CLOSED)
    found = list(rows.select_related("nonconformance", "owner").order_by("pk"))
    for row in found:
        _tell(row.nonconformance, row.title, now, users=[row.owner])
    rows.filter(pk__in=[row.pk for row in found]).update(reminded_on=today)
    return len(found)


def _steps(site_id: int, today: date, now: datetime) -> int:
    rows = Step.objects.filter(
        _unsaid(today),
        eight_d__nonconformance__site=site_id,
        done_at__isnull=True,
        due_on__lt=today,
    ).exclude(eight_d__nonconformance__state=NonconformanceState.CLOSED)
    related = rows.select_related("eight_d__nonconformance", "eight_d__leader")
    found = list(related.order_by("eight_d", "discipline"))
    for row in found:
        eight_d = row.eight_d
        _tell(eight_d.nonconformance, str(row), now, users=[eight_d.leader])
    rows.filter(pk__in=[row.pk for row in found]).update(reminded_on=today)
    return len(found)


def _answers(site_id: int, today: date, now: datetime) -> int:
    rows = SupplierRequest.objects.filter(
        _unsaid(today),
        nonconformance__site=site_id,
        state=SupplierRequestState.SENT,
        answer_due_on__lt=today,
    )
    found = list(rows.select_related("nonconformance").order_by("pk"))
    for row in found:
        _tell(row.nonconformance, row.number, now, roles=[Role.PURCHASING])
    rows.filter(pk__in=[row.pk for row in found]).update(reminded_on=today)
    return len(found)


def _tell(
    found: Nonconformance,
    what: str,
    now: datetime,
    *,
    users: Iterable[User] = (),
    roles: Iterable[Role] = (),
) -> None:
    notifications.notify(
        kind="mes.quality_overdue",
        parameters={"what": what, "number": found.number},
        users=users,
        roles=[Role.QUALITY, *roles],
        level=Level.WARNING,
        url=reverse("mes:nonconformance", kwargs={"number": found.number}),
        now=now,
    )
