"""Whether we pay: by the dates of the warranty, or otherwise with a reason."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.models import User
from crm import policies_tickets as policies
from crm import selectors_products as products
from crm.enums import WarrantyDecision
from crm.models import Ticket
from crm.policies_tickets import CannotDecide
from crm.services import tickets
from masterdata.services import shipping

__all__ = ["CannotDecide", "decide"]


def decide(
    *, ticket: Ticket, decision: WarrantyDecision, reason: str, by: User, now: datetime
) -> Ticket:
    """Say whether we pay; raise CannotDecide for what departs from the dates without a reason."""
    with transaction.atomic():
        ticket = tickets.locked(ticket.pk)
        policies.check_can_edit(ticket)
        found = products.product(ticket.thing)
        runs = found.is_covered(shipping.today(ticket.site, now=now)) if found else None
        usual = WarrantyDecision.COVERED if runs else WarrantyDecision.NOT_COVERED
        if decision == WarrantyDecision.UNDECIDED:
            raise CannotDecide(_("Choose what is decided."))
        if decision != usual and not reason.strip():
            raise CannotDecide(_("This departs from the warranty's dates: say why."))
        before = ticket.warranty
        ticket.warranty = decision
        ticket.warranty_reason = reason.strip()[:300]
        ticket.warranty_decided_at = now
        ticket.save(update_fields=["warranty", "warranty_reason", "warranty_decided_at"])
        audit.record(
            action="crm.ticket.warranty",
            target=ticket,
            by=by,
            now=now,
            reason=ticket.warranty_reason,
            changes={"warranty": [before, ticket.warranty]},
        )
    return ticket
