"""The audit trail of an order in sentences."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.models import AuditEntry

SENTENCES: dict[str, Promise] = {
    "crm.order.create": gettext_lazy("entered the order"),
    "crm.order.import": gettext_lazy("imported the order"),
    "crm.order.edit": gettext_lazy("changed the lines"),
    "crm.order.submit": gettext_lazy("submitted the order"),
    "crm.order.approve": gettext_lazy("approved the order"),
    "crm.order.reject": gettext_lazy("sent the order back"),
    "crm.order.hold": gettext_lazy("put the order on hold"),
    "crm.order.resume": gettext_lazy("took the order off hold"),
    "crm.order.cancel": gettext_lazy("cancelled the order"),
    "crm.order.change_quantity": gettext_lazy("changed a quantity"),
    "crm.order.retry_conversion": gettext_lazy("tried the failed lines again"),
    "crm.rush.request": gettext_lazy("asked for a rush"),
    "crm.shipment.post": gettext_lazy("posted a shipment"),
    "crm.shipment.deliver": gettext_lazy("noted the delivery"),
}


@dataclass(frozen=True)
class Entry:
    """Who did what when, and why."""

    at: datetime
    who: str
    what: str
    reason: str


def told(entries: Iterable[AuditEntry]) -> list[Entry]:
    """The entries as people say them; an action without a sentence keeps its name."""
    return [
        Entry(
            at=entry.at,
            who=entry.actor_label if entry.actor_id else _("Millstream"),
            what=str(SENTENCES.get(entry.action, entry.action)),
            reason=entry.reason,
        )
        for entry in entries
    ]
