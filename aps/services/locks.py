"""Operations that a planner fixed or kept out: put, released, and dropped when they cannot hold."""

from collections.abc import Mapping
from datetime import datetime

from django.urls import reverse

from aps.models import OperationLock
from common import audit
from common.enums import Level, Role
from common.models import User
from common.notifications import notify
from mes import selectors as mes


def put(
    *,
    operation_id: int,
    work_unit_id: int | None,
    starts_at: datetime | None,
    reason: str,
    by: User | None,
    now: datetime,
) -> OperationLock:
    """Lock an operation where it is to run, or keep it out (no start), in the caller's transaction.

    Every later plan keeps to it until the operation starts or is unlocked.
    """
    lock, _created = OperationLock.objects.update_or_create(
        operation_id=operation_id,
        defaults={
            "work_unit_id": work_unit_id,
            "starts_at": starts_at,
            "locked_by": by,
            "locked_at": now,
            "reason": reason[:200],
        },
    )
    audit.record(
        action="aps.lock.keep_out" if starts_at is None else "aps.lock.put",
        target=lock,
        by=by,
        now=now,
        reason=reason,
    )
    return lock


def release(*, operation_id: int, by: User | None, now: datetime) -> bool:
    """Give an operation back to the planning; whether it was locked."""
    lock = OperationLock.objects.filter(operation=operation_id).first()
    if lock is None:
        return False
    audit.record(action="aps.lock.release", target=lock, by=by, now=now)
    lock.delete()
    return True


def drop(*, reasons: Mapping[int, str], now: datetime) -> int:
    """Delete locks (by operation) that cannot hold any more, and tell who made them; how many."""
    rows = list(
        OperationLock.objects.filter(operation__in=list(reasons)).select_related("locked_by")
    )
    labels = mes.operation_labels([row.operation_id for row in rows])
    for row in rows:
        reason = reasons[row.operation_id]
        audit.record(action="aps.lock.drop", target=row, by=None, now=now, reason=reason)
        notify(
            kind="aps.lock_dropped",
            parameters={"operation": str(labels[row.operation_id]), "reason": reason},
            users=[row.locked_by] if row.locked_by else [],
            roles=[] if row.locked_by else [Role.PLANNER],
            level=Level.WARNING,
            url=reverse("aps:board"),
            now=now,
        )
        row.delete()
    return len(rows)
