"""What is overdue is said once a day to who has to do it, and to quality."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from common import notifications
from common.enums import Level, Role
from common.models import User
from erp import selectors as erp
from mes.enums import ActionState, NonconformanceState, SupplierRequestState
from mes.models import Nonconformance, QualityAction, Step, SupplierRequest


def remind(*, now: datetime) -> int:
    """Tell of actions, steps and answers whose day is over; return of how many.

    Each once a day, by the day of its site; repeating it says nothing twice.
    """
    told = 0
    with transaction.atomic():
        for site_id, today in sorted(erp.days(now=now).items()):
            told += _actions(site_id, today, now)
            told += _steps(site_id, today, now)
            told += _answers(site_id, today, now)
    return told


def _unsaid(today: date) -> Q:
    return Q(reminded_on__isnull=True) | Q(reminded_on__lt=today)


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
