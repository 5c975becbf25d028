"""The audit trail: who changed what, when and why.

A business action writes its row in its own transaction; the database refuses to change or
delete one (migration 0002; docs/database-roles.md).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import QuerySet

from common.models import AuditEntry, User

# {"field": [old, new]}
Changes = Mapping[str, list[Any]]
_LABEL_LENGTH = 200


class OutsideTransaction(RuntimeError):
    """An audit row must commit together with the change it tells of."""


def record(
    *,
    action: str,
    target: models.Model,
    by: User | None,
    now: datetime,
    reason: str = "",
    changes: Changes | None = None,
) -> AuditEntry:
    """Write one row; ``by`` is None for the system. Raises OutsideTransaction."""
    entry = _entry(action, target, by, now, reason, changes)
    _require_transaction()
    entry.save(force_insert=True)
    return entry


def record_many(
    *,
    action: str,
    targets: Iterable[models.Model],
    by: User | None,
    now: datetime,
    reason: str = "",
) -> list[AuditEntry]:
    """Write one row per target in one statement. Raises OutsideTransaction."""
    _require_transaction()
    return AuditEntry.objects.bulk_create(
        [_entry(action, target, by, now, reason, None) for target in targets], batch_size=1000
    )


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The fields of ``after`` that were otherwise ``before``, as old and new value."""
    return {
        field: [before.get(field), value]
        for field, value in after.items()
        if before.get(field) != value
    }


def history(target: models.Model) -> QuerySet[AuditEntry]:
    """All that happened to one object, newest first."""
    return AuditEntry.objects.filter(
        target_type=target._meta.label_lower, target_id=target.pk
    ).order_by("-at", "-id")


def _entry(
    action: str,
    target: models.Model,
    by: User | None,
    now: datetime,
    reason: str,
    changes: Changes | None,
) -> AuditEntry:
    return AuditEntry(
        at=now,
        actor=by,
        actor_label=str(by)[:150] if by else "system",
        action=action,
        target_type=target._meta.label_lower,
        target_id=target.pk,
        target_label=str(target)[:_LABEL_LENGTH],
        reason=reason,
        changes=dict(changes or {}),
    )


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise OutsideTransaction("Record the audit row inside the action's transaction.")
