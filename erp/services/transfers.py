"""Goods go to another site: packed (``transfer_packing``), dispatched, under way, received.

Their value goes with them.
Under way they lie at neither site. What is to come is a row of ``erp.Supply`` at the other one, so
that planning sees it. Sent is always received plus missing plus still under way.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from common import audit, bulk, events, numbers, transitions
from common.concurrency import Lock, lock
from common.models import User
from erp import policies, selectors
from erp import policies_transfers as rules
from erp.enums import TRANSFER_TRANSITIONS, BinKind, MoveKind, TransferState
from erp.events import StockReceived, TransfersChanged
from erp.models import Bin, StockQuant, StockTransfer, TransferLine
from erp.policies_transfers import CannotTransfer
from erp.services import booking, genealogy, reservations, supplies, warehouses
from erp.services.booking import Entry, Why
from erp.services.transfer_packing import locked, pack, unpack
from masterdata import selectors as masterdata
from traceability.enums import IdentityState
from traceability.services import identities

__all__ = [
    "CannotTransfer",
    "cancel",
    "close",
    "dispatch",
    "draft",
    "pack",
    "receive",
    "unpack",
]

ZERO = Decimal(0)


def draft(
    *,
    from_site_id: int,
    to_site_id: int,
    arrives_on: date,
    note: str = "",
    by: User | None,
    now: datetime,
) -> StockTransfer:
    """An empty consignment to another site; raise CannotTransfer within one."""
    rules.check_sites(from_site_id, to_site_id)
    with transaction.atomic():
        made = StockTransfer.objects.create(
            number=numbers.take("ST", now=now),
            from_site_id=from_site_id,
            to_site_id=to_site_id,
            arrives_on=arrives_on,
            note=note.strip()[:60],
            currency=masterdata.site(from_site_id).currency,
            created_at=now,
            created_by=by,
        )
        audit.record(action="erp.transfer.draft", target=made, by=by, now=now, reason=note)
    return made


def dispatch(*, transfer: StockTransfer, by: User | None, now: datetime) -> StockTransfer:
    """The consignment leaves: its goods are under way, at what they cost here on average.

    Raise CannotTransfer where something of it is not there, held, or reserved for somebody.
    """
    with transaction.atomic():
        _lock_sites(transfer)
        transfer = locked(transfer)
        lines = transfer.lines.order_by("pk")
        # Ten thousand units are ten thousand lines: they are read as rows, once.
        entries = [
            Entry(bin_id, item_id, -quantity, lot_id, unit_id)
            for bin_id, item_id, quantity, lot_id, unit_id in lines.values_list(
                "from_bin_id", "item_id", "quantity", "lot_id", "unit_id"
            )
        ]
        rules.check_can_dispatch(transfer, len(entries))
        leaving = _check_there(transfer, entries)
        prices = selectors.average_costs(leaving, site_id=transfer.from_site_id)
        for item_id, price in prices.items():
            lines.filter(item=item_id).update(unit_cost=price)
        booking.book(entries, why=_why(MoveKind.DISPATCH, transfer, by, now))
        transfer.dispatched_at, transfer.dispatched_by = now, by
        _become(transfer, TransferState.IN_TRANSIT, "dispatched_at", "dispatched_by")
        _tell(transfer, by, now)
        audit.record(action="erp.transfer.dispatch", target=transfer, by=by, now=now)
    return transfer


def receive(
    *,
    transfer: StockTransfer,
    arrivals: Mapping[int, Decimal],
    by: User | None,
    now: datetime,
    bin_id: int | None = None,
) -> StockTransfer:
    """Book in what arrived (quantities by line id); the rest stays under way.

    It lies in the bin, without one in the site's storage, and weighs in the average cost there by
    the value it left with, in the money there at the rate of the day. Raise CannotTransfer for
    more than is under way, and masterdata's NoExchangeRate where nobody entered the rate.
    """
    with transaction.atomic():
        _lock_sites(transfer)
        transfer = locked(transfer)
        lines = {
            line.pk: line
            for line in transfer.lines.filter(bulk.among("pk", arrivals))
            .prefetch_related("item")
            .order_by("pk")
        }
        rules.check_can_arrive(transfer, lines, arrivals)
        place = policies.check_bin(_bin(bin_id, transfer.to_site_id), transfer.to_site_id)
        came = [(line, place.pk, arrivals[pk]) for pk, line in lines.items()]
        _book_in(transfer, came, transfer.to_site_id, by, now)
        for pk, line in lines.items():
            line.received += arrivals[pk]
        bulk.save(lines.values(), ["received"])
        _settle(transfer, now)
        _tell(transfer, by, now)
        audit.record(action="erp.transfer.receive", target=transfer, by=by, now=now)
    return transfer


def close(*, transfer: StockTransfer, reason: str, by: User | None, now: datetime) -> StockTransfer:
    """What has not arrived does not arrive any more; raise CannotTransfer without a reason."""
    with transaction.atomic():
        _lock_sites(transfer)
        transfer = locked(transfer)
        rules.check_can_close(transfer, reason)
        lines = [line for line in transfer.lines.order_by("pk") if line.open_quantity > 0]
        lost: dict[int, Decimal] = {}
        for line in lines:
            if thing := line.lot_id or line.unit_id:
                lost[thing] = lost.get(thing, ZERO) + line.open_quantity
            line.missing += line.open_quantity
        site_id = transfer.from_site_id
        genealogy.note_lost(lost, number=transfer.number, site_id=site_id, by=by, now=now)
        bulk.save(lines, ["missing"])
        identities.lose(
            lot_ids=_gone({line.lot_id for line in lines if line.lot_id}),
            unit_ids=[line.unit_id for line in lines if line.unit_id],
        )
        transfer.difference_reason = reason.strip()[:200]
        transfer.save(update_fields=["difference_reason"])
        _settle(transfer, now)
        _tell(transfer, by, now)
        audit.record(
            action="erp.transfer.close", target=transfer, by=by, now=now, reason=reason.strip()
        )
    return transfer


def cancel(
    *, transfer: StockTransfer, reason: str, by: User | None, now: datetime
) -> StockTransfer:
    """Give a draft up, or call back what is under way: it lies where it was taken from.

    Raise CannotTransfer once a part has arrived.
    """
    with transaction.atomic():
        _lock_sites(transfer)
        transfer = locked(transfer)
        rules.check_can_cancel(transfer, reason)
        if transfer.state == TransferState.IN_TRANSIT:
            lines = transfer.lines.select_related("item", "from_bin").order_by("pk")
            back = [(line, _home(line, transfer), line.quantity) for line in lines]
            _book_in(transfer, back, transfer.from_site_id, by, now)
        transfer.closed_at = now
        _become(transfer, TransferState.CANCELLED, "closed_at")
        _tell(transfer, by, now)
        audit.record(
            action="erp.transfer.cancel", target=transfer, by=by, now=now, reason=reason.strip()
        )
    return transfer


def _check_there(transfer: StockTransfer, entries: Sequence[Entry]) -> dict[int, Decimal]:
    """How much leaves, by item id; raise CannotTransfer where something may not."""
    if missing := selectors.cannot_leave(transfer):
        rules.check_lies_there(*missing)
    leaving: dict[int, Decimal] = {}
    for entry in entries:
        leaving[entry.item_id] = leaving.get(entry.item_id, ZERO) - entry.quantity
    free = selectors.free_stock(site_id=transfer.from_site_id, item_ids=leaving)
    codes = masterdata.items_by_id(leaving)
    for item_id, quantity in leaving.items():
        rules.check_may_leave(codes[item_id].code, quantity, free[item_id])
    return leaving


def _book_in(
    transfer: StockTransfer,
    came: Iterable[tuple[TransferLine, int, Decimal]],
    site_id: int,
    by: User | None,
    now: datetime,
) -> None:
    """Book (line, bin, quantity) in at the value they left with, and give it to who waits."""
    by_item: dict[int, list[tuple[TransferLine, int, Decimal]]] = {}
    for row in came:
        by_item.setdefault(row[0].item_id, []).append(row)
    price_here = _price_here(transfer, site_id, now)
    for item_id, rows in sorted(by_item.items()):
        price = price_here(rows[0][0].unit_cost)
        booking.book(
            [
                Entry(place, item_id, share, line.lot_id, line.unit_id)
                for line, place, share in rows
            ],
            why=_why(MoveKind.ARRIVAL, transfer, by, now, price),
        )
        events.publish(StockReceived(item_id=item_id, site_id=site_id), by=by, now=now)
    reservations.give_free(site_id=site_id, item_ids=list(by_item))


def _price_here(
    transfer: StockTransfer, site_id: int, now: datetime
) -> Callable[[Decimal], Decimal | None]:
    """What a price of the sender's is in the money of the site, at the rate of the day there.

    What left without a value weighs as what lies there does. Raise NoExchangeRate.
    """
    here = masterdata.exchange(
        into=masterdata.site(site_id).currency, on=selectors.today(site_id=site_id, now=now)
    )
    return lambda price: here.convert(price, transfer.currency) if price else None


def _why(
    kind: MoveKind,
    transfer: StockTransfer,
    by: User | None,
    now: datetime,
    price: Decimal | None = None,
) -> Why:
    return Why(
        kind,
        transfer.number,
        by,
        now,
        document=transfer.number,
        leaves_as=IdentityState.IN_TRANSIT,
        price=price,
    )


def _settle(transfer: StockTransfer, now: datetime) -> None:
    if selectors.open_transfer_lines(transfer).exists():
        _become(transfer, TransferState.PARTLY_RECEIVED)
    else:
        transfer.closed_at = now
        _become(transfer, TransferState.RECEIVED, "closed_at")


def _tell(transfer: StockTransfer, by: User | None, now: datetime) -> None:
    """What is to come changed: planning of the other site has to know."""
    supplies.note_transfers([transfer.pk])
    events.publish(TransfersChanged(site_id=transfer.to_site_id), by=by, now=now)


def _become(transfer: StockTransfer, new: TransferState, *fields: str) -> None:
    if transfer.state != new:
        transitions.check(TRANSFER_TRANSITIONS, old=TransferState(transfer.state), new=new)
        transfer.state = new
    transfer.save(update_fields=["state", *fields])


def _gone(lot_ids: set[int]) -> set[int]:
    """Those of the lots of which nothing lies anywhere, and nothing is under way."""
    lying = StockQuant.objects.filter(lot__in=lot_ids).values_list("lot_id", flat=True)
    coming = TransferLine.objects.filter(
        lot__in=lot_ids,
        transfer__state__in=TransferState.on_the_way(),
        quantity__gt=F("received") + F("missing"),
    )
    return lot_ids - set(lying) - set(coming.values_list("lot_id", flat=True))


def _home(line: TransferLine, transfer: StockTransfer) -> int:
    return line.from_bin_id if line.from_bin.is_active else _bin(None, transfer.from_site_id).pk


def _bin(bin_id: int | None, site_id: int) -> Bin:
    if bin_id is None:
        return warehouses.bin_for(site_id=site_id, kind=BinKind.STORAGE)
    return selectors.bin_by_id(bin_id)


def _lock_sites(transfer: StockTransfer) -> None:
    for site_id in sorted((transfer.from_site_id, transfer.to_site_id)):
        lock(Lock.SUPPLY, site_id)
