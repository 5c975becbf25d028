"""Containment lists that stay as they were: which units, where, with whom, at that moment."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.models import User
from crm.models import Ticket, TicketEvidence
from crm.policies_tickets import CannotFreeze
from crm.services import canonical
from masterdata import selectors as masterdata
from traceability import selectors as ledger
from traceability.enums import IdentityState, kind_of

__all__ = ["CannotFreeze", "freeze", "is_as_it_was"]

# Where units are that can still be stopped.
STOPPABLE = frozenset(
    {
        IdentityState.IN_PROCESS,
        IdentityState.AVAILABLE,
        IdentityState.ON_HOLD,
        IdentityState.IN_TRANSIT,
    }
)


def freeze(*, ticket: Ticket, thing: int, by: User, now: datetime) -> TicketEvidence:
    """Keep with the ticket whom a lot or unit reached, with its SHA-256. Raise CannotFreeze."""
    lots, units = ledger.lots([thing]), ledger.units([thing])
    start = lots.get(thing) or units.get(thing)
    if start is None:
        raise CannotFreeze(_("There is no such lot or unit."))
    snapshot = {
        "from": {"item": start.item.code, "number": start.number, "kind": kind_of(thing).value},
        "at": now.isoformat(),
        **_list(thing),
    }
    with transaction.atomic():
        evidence = TicketEvidence.objects.create(
            ticket=ticket,
            thing=thing,
            title=f"{start.item.code} {start.number}",
            units=len(snapshot["units"]),
            snapshot=snapshot,
            digest=canonical.digest(snapshot),
            at=now,
            by=by,
        )
        audit.record(
            action="crm.ticket.freeze",
            target=ticket,
            by=by,
            now=now,
            changes={"list": [None, evidence.title]},
        )
    return evidence


def is_as_it_was(evidence: TicketEvidence) -> bool:
    """Whether the list still has the hash that it was frozen with."""
    return canonical.digest(evidence.snapshot) == evidence.digest


def _list(thing: int) -> dict[str, Any]:
    """Every unit with its place, and the sums; each unit once."""
    start = ledger.whole(ledger.Start.of([thing]))
    rows = sorted(ledger.rows_reached(start, states=list(IdentityState)), key=lambda row: row.pk)
    items = masterdata.items_by_id({row.item_id for row in rows})
    papers = ledger.documents({row.document_id for row in rows if row.document_id})
    units, places = [], Counter[str]()
    for row in rows:
        paper = papers.get(row.document_id or 0)
        place = _place(row.state)
        places[place] += 1
        units.append(
            {
                "number": row.number,
                "item": items[row.item_id].code,
                "state": row.state.value,
                "place": place,
                "document": paper.number if paper else "",
                "customer": paper.customer.code if paper and paper.customer else "",
                "is_confirmed": row.is_confirmed,
            }
        )
    return {"units": units, "sums": {name: places[name] for name in sorted(places)}}


def _place(state: IdentityState) -> str:
    if state in STOPPABLE:
        return "stoppable"
    return "shipped" if state == IdentityState.SHIPPED else "over"


def customers_of(evidence: TicketEvidence) -> dict[str, int]:
    """Shipped units by the customer's label, the most first."""
    counts = Counter(
        unit["customer"] for unit in evidence.snapshot["units"] if unit["place"] == "shipped"
    )
    labels = masterdata.customer_labels()
    return {labels.get(code, code) or "–": count for code, count in counts.most_common()}
