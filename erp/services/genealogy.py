"""What the store tells the genealogy ledger: who brought or took which lots and units, and on what.

Called by ``erp.services.booking`` with every booking, so that the ledger and the stock agree: what
was brought less what was taken is what lies there. ``SAYS`` is the whole mapping. What changes its
bin only is nobody's news; what changes its lot is told by ``erp.services.lots``, with what it was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from common.models import User
from erp.enums import MoveKind
from traceability import selectors as traceability
from traceability.enums import DocumentKind, EventKind
from traceability.services import documents, genealogy
from traceability.services.genealogy import Fact, Handover

if TYPE_CHECKING:
    from erp.services.booking import Entry, Why

__all__ = ["Paper", "note", "note_lost"]

ZERO = Decimal(0)

_Told = tuple[EventKind, DocumentKind]
# By kind of move and whether it comes in.
SAYS: dict[tuple[MoveKind, bool], _Told] = {
    (MoveKind.OPENING, True): (EventKind.RECEIPT, DocumentKind.OPENING),
    (MoveKind.OPENING, False): (EventKind.SCRAP, DocumentKind.COUNT),
    (MoveKind.RECEIPT, True): (EventKind.RECEIPT, DocumentKind.RECEIPT),
    (MoveKind.PRODUCTION, True): (EventKind.RECEIPT, DocumentKind.WORK_ORDER),
    # A report was taken back: the pieces never were.
    (MoveKind.PRODUCTION, False): (EventKind.CORRECTION, DocumentKind.WORK_ORDER),
    (MoveKind.ISSUE, False): (EventKind.ISSUE, DocumentKind.WORK_ORDER),
    (MoveKind.BACKFLUSH, False): (EventKind.ISSUE, DocumentKind.WORK_ORDER),
    (MoveKind.RETURN, True): (EventKind.RETURN, DocumentKind.WORK_ORDER),
    (MoveKind.SHIPMENT, False): (EventKind.SHIPMENT, DocumentKind.SHIPMENT),
    (MoveKind.CUSTOMER, True): (EventKind.RETURN, DocumentKind.RETURN),
    (MoveKind.SUPPLIER, False): (EventKind.RETURN, DocumentKind.SUPPLIER_RETURN),
    (MoveKind.DISPATCH, False): (EventKind.SHIPMENT, DocumentKind.TRANSFER),
    (MoveKind.ARRIVAL, True): (EventKind.RECEIPT, DocumentKind.TRANSFER),
    (MoveKind.COUNT, True): (EventKind.RECEIPT, DocumentKind.COUNT),
    (MoveKind.COUNT, False): (EventKind.SCRAP, DocumentKind.COUNT),
    (MoveKind.ADJUSTMENT, True): (EventKind.RECEIPT, DocumentKind.COUNT),
    (MoveKind.ADJUSTMENT, False): (EventKind.SCRAP, DocumentKind.COUNT),
    (MoveKind.SCRAP, False): (EventKind.SCRAP, DocumentKind.SCRAP),
}


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on the document beside its number; without a number that of the move."""

    number: str = ""
    # The order it fulfils: ours at a supplier, or the customer's.
    order_number: str = ""
    supplier_id: int | None = None
    customer_id: int | None = None
    certificate: str = ""


def note(entries: Iterable["Entry"], *, sites: Mapping[int, int], why: "Why") -> None:
    """Tell the ledger which lots and units came and went; ``sites`` of the bins.

    One event per site and direction, its statements constant however many units there are.
    """
    if why.kind in MoveKind.relabelling():
        return
    totals: dict[tuple[int, int], Decimal] = {}
    for row in entries:
        thing = row.lot_id or row.unit_id
        if thing is not None:
            key = (sites[row.bin_id], thing)
            totals[key] = totals.get(key, ZERO) + row.quantity
    moved: dict[tuple[int, bool], dict[int, Decimal]] = {}
    for (site_id, thing), quantity in totals.items():
        if quantity:
            moved.setdefault((site_id, quantity > 0), {})[thing] = abs(quantity)
    for (site_id, is_coming), things in sorted(moved.items()):
        _tell(SAYS[why.kind, is_coming], things, site_id, why)


def _tell(told: _Told, things: Mapping[int, Decimal], site_id: int, why: "Why") -> None:
    kind, document_kind = told
    paper = why.paper or Paper()
    document_id = documents.put(
        documents.Paper(
            kind=document_kind,
            number=paper.number or why.document or why.reference or why.kind,
            order_number=paper.order_number,
            customer_id=paper.customer_id,
            supplier_id=paper.supplier_id,
            certificate=paper.certificate,
        ),
        at=why.now,
    )
    corrects = None
    if kind == EventKind.CORRECTION:
        corrects = traceability.last_custody_event(things, document_id=document_id)
    fact = Fact(
        kind=kind,
        at=why.now,
        site_id=site_id,
        by_id=why.by.pk if why.by else None,
        reference=why.reference,
        corrects_id=corrects,
        note=paper.certificate,
    )
    genealogy.hand_over(
        fact=fact,
        handovers=[Handover(thing, document_id, share) for thing, share in things.items()],
    )


def note_lost(
    things: Mapping[int, Decimal], *, number: str, site_id: int, by: User | None, now: datetime
) -> None:
    """Lots and units that were sent by the transfer of that number do not arrive."""
    if not things:
        return
    paper = documents.Paper(kind=DocumentKind.TRANSFER, number=number)
    document_id = documents.put(paper, at=now)
    genealogy.hand_over(
        fact=Fact(
            kind=EventKind.SCRAP,
            at=now,
            site_id=site_id,
            by_id=by.pk if by else None,
            reference=number,
        ),
        handovers=[Handover(thing, document_id, share) for thing, share in things.items()],
    )
