"""Goods come in and are corrected; each change leaves a move, a quant and a balance.

What leaves goes through ``erp.services.issuing``, what moves inside through
``erp.services.moving``; both book through ``erp.services.booking``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from common import audit, events
from common.concurrency import Lock, lock
from common.models import User
from erp import policies, selectors
from erp.enums import BinKind, MoveKind
from erp.events import StockReceived
from erp.models import Bin, StockBalance, StockMove
from erp.policies import CannotAdjust, CannotIssue, CannotReceive
from erp.services import booking, identifying, reservations, warehouses
from erp.services.booking import Entry, Why
from erp.services.genealogy import Paper
from erp.services.identifying import Incoming
from erp.services.issuing import backflush, issue, issue_many
from masterdata import selectors as masterdata
from masterdata.enums import Supply
from traceability.enums import IdentityState
from traceability.services.identities import Origin

__all__ = [
    "CannotAdjust",
    "CannotIssue",
    "CannotReceive",
    "Opening",
    "Origin",
    "Paper",
    "adjust",
    "backflush",
    "correct",
    "issue",
    "issue_many",
    "receive",
    "set_opening",
]

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Opening:
    """How much of an item lies there when the system starts."""

    item_id: int
    quantity: Decimal


def receive(
    *,
    item_id: int,
    site_id: int,
    quantity: Decimal,
    kind: MoveKind,
    reference: str,
    by: User | None,
    now: datetime,
    bin_id: int | None = None,
    lot_number: str = "",
    serials: Sequence[str] = (),
    origin: Origin | None = None,
    price: Decimal | None = None,
    paper: Paper | None = None,
) -> StockMove:
    """Book goods in and give what is free of a bought item to those who wait, first due first.

    ``price`` is what a piece cost, in the site's currency (unknown: what those there did);
    ``paper`` is what the genealogy says of the delivery.

    They lie in the bin (without one in the site's storage), as a lot or as serial units where the
    item is tracked; without numbers these are given. Return the first move. Raise CannotReceive
    for a quantity of zero or below or where the item's policy asks for more, and CannotRegister
    for a number that is taken.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        policies.check_can_receive(quantity, kind)
        place = policies.check_bin(_bin(bin_id, site_id), site_id)
        item = masterdata.items_by_id([item_id])[item_id]
        new = Incoming(item, quantity, lot_number.strip(), serials, origin or Origin())
        entries = identifying.entries(
            new, bin_id=place.pk, site_id=site_id, kind=kind, reference=reference, now=now
        )
        if paper is None and origin is not None and kind == MoveKind.RECEIPT:
            paper = Paper(supplier_id=origin.supplier_id)
        why = Why(kind, reference, by, now, price=price, paper=paper)
        moves = booking.book(entries, why=why)
        move = StockMove.objects.get(pk=moves[0])
        if item.supply == Supply.BUY:
            # What is made goes to those it is pegged to; nobody waits for it here.
            reservations.give_free(site_id=site_id, item_ids=[item_id])
        audit.record(action="erp.stock.receive", target=move, by=by, now=now, reason=reference)
        events.publish(StockReceived(item_id=item_id, site_id=site_id), by=by, now=now)
    return move


def set_opening(
    rows: Sequence[Opening],
    *,
    site_id: int,
    by: User | None,
    now: datetime,
    reference: str = "opening",
) -> int:
    """Bring the on-hand quantity of each item to the given one; return how many changed.

    Repeating it changes nothing. Raise CannotAdjust where less would be left than is reserved.
    """
    wanted: dict[int, Decimal] = {}
    for row in rows:
        wanted[row.item_id] = wanted.get(row.item_id, ZERO) + row.quantity
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        differences = _opening_differences(wanted, site_id, reference)
        why = Why(MoveKind.OPENING, reference, by, now, leaves_as=IdentityState.SCRAPPED)
        ids = booking.book(_corrections(differences, site_id, why), why=why)
        moves = list(StockMove.objects.filter(pk__in=ids).order_by("pk"))
        reservations.give_free(site_id=site_id, item_ids=list(differences))
        for move in moves[:1]:
            # One fact for the site: its readers look at the site, not at the item.
            events.publish(StockReceived(item_id=move.item_id, site_id=site_id), by=by, now=now)
        audit.record_many(
            action="erp.stock.set_opening",
            targets={move.item_id: move for move in moves}.values(),
            by=by,
            now=now,
            reason=reference,
        )
    return len(differences)


def adjust(
    *,
    item_id: int,
    site_id: int,
    quantity: Decimal,
    reason: str,
    by: User | None,
    now: datetime,
) -> StockMove:
    """Correct the books by a signed quantity; return the first move.

    Less is taken from what expires first, more lies in the site's storage (a new lot or new units
    where the item is tracked). Raise CannotAdjust: no reason, it is reserved, or it is worth more
    than one person may correct of an item in a day.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        balance = _locked_balance(item_id, site_id)
        policies.check_can_adjust(balance, quantity, reason)
        if by is not None:
            _check_limit(balance, quantity, now)
        why = Why(MoveKind.ADJUSTMENT, reason, by, now, leaves_as=IdentityState.SCRAPPED)
        moves = booking.book(_corrections({item_id: quantity}, site_id, why), why=why)
        move = StockMove.objects.get(pk=moves[0])
        reservations.give_free(site_id=site_id, item_ids=[item_id])
        audit.record(action="erp.stock.adjust", target=move, by=by, now=now, reason=reason)
        events.publish(StockReceived(item_id=item_id, site_id=site_id), by=by, now=now)
    return move


def correct(
    *, item_id: int, site_id: int, counted: Decimal, reason: str, by: User | None, now: datetime
) -> StockMove:
    """Bring the stock to what was counted, whatever it is at that moment; as ``adjust``.

    The difference is taken under the lock: two who type the same count correct it once.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        difference = counted - _locked_balance(item_id, site_id).on_hand
        return adjust(
            item_id=item_id, site_id=site_id, quantity=difference, reason=reason, by=by, now=now
        )


def _bin(bin_id: int | None, site_id: int) -> Bin:
    if bin_id is None:
        return warehouses.bin_for(site_id=site_id, kind=BinKind.STORAGE)
    return selectors.bin_by_id(bin_id)


def _check_limit(balance: StockBalance, quantity: Decimal, now: datetime) -> None:
    began = selectors.midnight(site_id=balance.site_id, now=now)
    policies.check_may_correct_alone(
        balance.item,
        quantity,
        price=balance.average_cost or balance.item.standard_cost,
        today=selectors.corrected(item_id=balance.item_id, site_id=balance.site_id, since=began),
        limit=settings.COUNT_APPROVAL_LIMIT,
    )


def _locked_balance(item_id: int, site_id: int) -> StockBalance:
    StockBalance.objects.get_or_create(item_id=item_id, site_id=site_id)
    return (
        StockBalance.objects.select_for_update(no_key=True, of=("self",))
        .select_related("item")
        .get(item_id=item_id, site_id=site_id)
    )


def _opening_differences(
    wanted: Mapping[int, Decimal], site_id: int, reference: str
) -> dict[int, Decimal]:
    """By how much the stock of each item differs from what is wanted; those that do."""
    StockBalance.objects.bulk_create(
        [StockBalance(item_id=item_id, site_id=site_id) for item_id in sorted(wanted)],
        ignore_conflicts=True,
        batch_size=5000,
    )
    found: dict[int, Decimal] = {}
    for balance in (
        StockBalance.objects.select_for_update(no_key=True, of=("self",))
        .filter(item__in=list(wanted), site_id=site_id)
        .select_related("item")
        .order_by("pk")
    ):
        difference = wanted[balance.item_id] - balance.on_hand
        if difference:
            policies.check_can_adjust(balance, difference, reference)
            found[balance.item_id] = difference
    return found


def _corrections(differences: Mapping[int, Decimal], site_id: int, why: Why) -> list[Entry]:
    """What to book so that the stock of each item changes by its difference."""
    items = masterdata.items_by_id(differences)
    place = warehouses.bin_for(site_id=site_id, kind=BinKind.STORAGE).pk
    today = selectors.today(site_id=site_id, now=why.now)
    entries: list[Entry] = []
    for item_id, difference in differences.items():
        item = items[item_id]
        if difference > 0:
            entries += identifying.entries(
                Incoming(item, difference),
                bin_id=place,
                site_id=site_id,
                kind=why.kind,
                reference=why.reference,
                now=why.now,
            )
            continue
        takes = selectors.choose(
            site_id=site_id,
            item_id=item_id,
            tracking=item.tracking,
            quantity=-difference,
            on=today,
        )
        missing = -difference - sum((take.quantity for take in takes), ZERO)
        policies.check_enough_to_correct(item, missing)
        entries += [
            Entry(t.quant.bin_id, item_id, -t.quantity, t.quant.lot_id, t.quant.unit_id)
            for t in takes
        ]
        if missing:
            entries.append(Entry(place, item_id, -missing))
    return entries
