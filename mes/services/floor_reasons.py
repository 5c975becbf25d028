"""The tiles of reasons that the terminal offers."""

from datetime import datetime
from typing import Any

from django.db import transaction

from common import audit
from common.models import User
from mes.models import FloorReason


def save(*, reason: FloorReason, by: User, now: datetime) -> FloorReason:
    """Write a new or changed reason; one that was used is deactivated, never deleted."""
    with transaction.atomic():
        before = FloorReason.objects.filter(pk=reason.pk).first() if reason.pk else None
        reason.save()
        changes = audit.difference(_facts(before), _facts(reason))
        audit.record(action="mes.floor.reasons", target=reason, by=by, now=now, changes=changes)
    return reason


def _facts(reason: FloorReason | None) -> dict[str, Any]:
    names = ("kind", "code", "name", "name_zh", "position", "is_active")
    return {name: getattr(reason, name) for name in names} if reason else {}
