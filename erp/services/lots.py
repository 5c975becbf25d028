"""Lots are split and put together: the goods stay where they lie, under another number.

What comes of it is always a new lot. More of another lot in one that is there already would put
all that was made of it under suspicion of what it never had.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction

from common import audit, numbers
from common.concurrency import Lock, lock
from common.models import User
from erp import policies_lots as rules
from erp import selectors
from erp.enums import MoveKind
from erp.models import Bin, StockQuant
from erp.policies_lots import CannotRelabel
from erp.services import booking
from erp.services.booking import Entry, Why
from traceability import selectors as traceability
from traceability.enums import Certainty, DocumentKind, EventKind
from traceability.services import documents, genealogy, identities
from traceability.services.genealogy import Fact, Handover
from traceability.services.identities import NewLot, Origin

if TYPE_CHECKING:
    from traceability.models import Lot

__all__ = ["CannotRelabel", "merge", "split"]


@dataclass(frozen=True, slots=True)
class _Act:
    """What splitting and putting together have in common."""

    kind: MoveKind
    place: Bin
    by: User | None
    now: datetime
    reason: str

    @property
    def site_id(self) -> int:
        return self.place.warehouse.site_id


def split(
    *,
    lot_id: int,
    bin_id: int,
    quantity: Decimal,
    by: User | None,
    now: datetime,
    number: str = "",
    reason: str = "",
) -> "Lot":
    """Give a part of what lies of a lot in a bin a number of its own; return the new lot.

    It has the supplier, the supplier's lot and the expiry of the one it comes from, and is as old
    in the store. Without a number it gets the next. Raise CannotRelabel for what is held, expired,
    ready for somebody or not there, and for all of the lot; CannotRegister for a number that
    cannot be given.
    """
    with transaction.atomic():
        act = _begin(MoveKind.SPLIT, bin_id, by, now, reason)
        (quant,) = _lying([lot_id], act)
        lies = selectors.on_hand_of_lots([lot_id])[lot_id]
        rules.check_can_split(quant, quantity, lies=lies)
        old = quant.lot
        assert old is not None  # noqa: S101 - it was asked for
        origin = Origin(old.supplier_id, old.supplier_lot, old.expires_on)
        new = _register(quant.item_id, number, origin, now)
        document = _book([(quant, quantity)], new, act)
        genealogy.split(
            fact=_fact(EventKind.SPLIT, act, document, f"{old.number} → {new.number}"),
            source=lot_id,
            parts={new.pk: quantity},
            handovers=_handovers({lot_id: quantity}, new, document, now),
        )
        changes: dict[str, list[Any]] = {
            "lot": [old.number, new.number],
            "quantity": [None, str(quantity)],
        }
        audit.record(
            action="erp.lot.split", target=new, by=by, now=now, reason=reason, changes=changes
        )
    return new


def merge(
    *,
    lot_ids: Collection[int],
    bin_id: int,
    by: User | None,
    now: datetime,
    number: str = "",
    reason: str = "",
) -> "Lot":
    """Put together all that lies of the lots in a bin, as one new lot; return it.

    It expires with the first of them and is as old as the oldest. What is taken of it later has
    one of them in it: an impact of one of them reaches it as possible. Raise CannotRelabel for
    what is held, expired, ready for somebody, elsewhere or of another item, and where the item's
    supplier lots are kept apart; CannotRegister for a number that cannot be given.
    """
    with transaction.atomic():
        act = _begin(MoveKind.MERGE, bin_id, by, now, reason)
        quants = _lying(sorted(set(lot_ids)), act)
        rules.check_can_merge(quants)
        old = [quant.lot for quant in quants if quant.lot is not None]
        new = _register(quants[0].item_id, number, _common(old), now)
        document = _book([(quant, quant.quantity) for quant in quants], new, act)
        shares = {quant.lot_id: quant.quantity for quant in quants if quant.lot_id}
        names = identities.some_of([lot.number for lot in old])
        genealogy.merge(
            fact=_fact(EventKind.MERGE, act, document, f"{names} → {new.number}"),
            target=new.pk,
            sources=shares,
            certainty=Certainty.ONE_OF,
            handovers=_handovers(shares, new, document, now),
        )
        changes = {"lots": [sorted(lot.number for lot in old), new.number]}
        audit.record(
            action="erp.lot.merge", target=new, by=by, now=now, reason=reason, changes=changes
        )
    return new


def _begin(kind: MoveKind, bin_id: int, by: User | None, now: datetime, reason: str) -> _Act:
    act = _Act(kind, selectors.bin_by_id(bin_id), by, now, reason.strip())
    lock(Lock.SUPPLY, act.site_id)
    return act


def _lying(lot_ids: Sequence[int], act: _Act) -> list[StockQuant]:
    """What lies of the lots in the bin, locked and free to be given another number."""
    rows = (
        StockQuant.objects.select_for_update(no_key=True, of=("self",))
        .filter(bin=act.place, lot__in=lot_ids, quantity__gt=0)
        .select_related("lot", "item", "bin")
        .order_by("pk")
    )
    found = list(rows)
    there = {quant.lot_id for quant in found}
    named = traceability.lots(pk for pk in lot_ids if pk not in there)
    rules.check_lies_there(sorted(lot.number for lot in named.values()), act.place.code)
    rules.check_one_item(found)
    today = selectors.today(site_id=act.site_id, now=act.now)
    for quant in found:
        rules.check_free(quant, today)
    return found


def _register(item_id: int, number: str, origin: Origin, now: datetime) -> "Lot":
    number = traceability.number_of(number).strip()
    if number:
        rules.check_is_new(number, traceability.lot_of(item_id=item_id, number=number))
    return identities.register_lot(item_id=item_id, new=NewLot(number, origin), now=now)


def _common(lots: "Sequence[Lot]") -> Origin:
    """What is true of all of them; of their days the first."""
    suppliers = {lot.supplier_id for lot in lots}
    supplier_lots = {(lot.supplier_id, lot.supplier_lot) for lot in lots}
    return Origin(
        supplier_id=suppliers.pop() if len(suppliers) == 1 else None,
        supplier_lot=supplier_lots.pop()[1] if len(supplier_lots) == 1 else "",
        expires_on=min((lot.expires_on for lot in lots if lot.expires_on), default=None),
    )


def _book(taken: Sequence[tuple[StockQuant, Decimal]], new: "Lot", act: _Act) -> str:
    """Move the quantities to the new lot; return the number of the paper."""
    document = numbers.take("TR", now=act.now)
    why = Why(act.kind, act.reason or document, act.by, act.now, document=document)
    entries = [
        Entry(act.place.pk, quant.item_id, -quantity, lot_id=quant.lot_id)
        for quant, quantity in taken
    ]
    total = sum((quantity for _quant, quantity in taken), Decimal(0))
    entries.append(Entry(act.place.pk, new.item_id, total, lot_id=new.pk))
    booking.book(entries, why=why)
    # First in, first out goes by when the goods came, not by when they got this number.
    since = min(quant.since for quant, _quantity in taken)
    StockQuant.objects.filter(bin=act.place, lot=new).update(since=since)
    new.refresh_from_db(fields=["state"])
    return document


def _fact(kind: EventKind, act: _Act, document: str, note: str) -> Fact:
    return Fact(
        kind=kind,
        at=act.now,
        site_id=act.site_id,
        by_id=act.by.pk if act.by else None,
        reference=document,
        note=note,
    )


def _handovers(
    shares: "dict[int, Decimal]", new: "Lot", document: str, now: datetime
) -> list[Handover]:
    """What went out of each lot and into the new one, by the paper."""
    out, into = (
        documents.put(documents.Paper(kind=kind, number=document), at=now)
        for kind in (DocumentKind.LOT_OUT, DocumentKind.LOT_IN)
    )
    total = sum(shares.values(), Decimal(0))
    return [
        *(Handover(pk, out, share) for pk, share in shares.items()),
        Handover(new.pk, into, total),
    ]
