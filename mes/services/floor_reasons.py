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
        reason.save()
        changes: dict[str, list[Any]] = {
            "name": [None, reason.name],
            "active": [None, reason.is_active],
        }
        audit.record(action="mes.floor.reasons", target=reason, by=by, now=now, changes=changes)
    return reason
