"""The audit trail of an order in sentences."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from common.models import AuditEntry


@dataclass(frozen=True)
class Entry:
    """Who did what when, and why."""

    at: datetime
    who: str
    what: str
    reason: str


def told(entries: Iterable[AuditEntry]) -> list[Entry]:
    """The entries as people say them; ``common.audit_words`` has the sentences."""
    return [
        Entry(
            at=entry.at,
            who=entry.actor_label if entry.actor_id else _("Millstream"),
            what=entry.what,
            reason=entry.reason,
        )
        for entry in entries
    ]
