"""Goods go to another site: packed, dispatched, under way, received; their value goes with them.

Under way they lie at neither site. What is to come is a row of ``erp.Supply`` at the other one, so
that planning sees it. Sent is always received plus missing plus still under way.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
from erp.services import booking, genealogy, moving, reservations, supplies, warehouses
from erp.services.booking import Entry, Place, Why
from erp.services.moving import Where
from masterdata import selectors as masterdata
from masterdata.enums import Tracking
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


def pack(
    *, transfer: StockTransfer, source: Where, quantity: Decimal, by: User | None, now: datetime
) -> None:
    """Put a quantity into the consignment; it stays in its bin until that leaves.

    Raise CannotMove where so much does not lie there, CannotTransfer for what is packed already.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, transfer.from_site_id)
        transfer = _locked(transfer)
        rules.check_can_pack(transfer)
        rules.check_bin_of_sender(transfer, selectors.bin_by_id(source.bin_id))
        item = masterdata.items_by_id([source.item_id])[source.item_id]
        if item.tracking == Tracking.SERIAL:
            rows = _units(source, quantity)
        else:
            packed = _packed(transfer, source)
            quant = moving.taken(source, packed + quantity)[0][0]
            rows = [(quant, quantity)]
        for quant, _share in rows:
            if quant.is_held:
                line = TransferLine(
                    item_id=quant.item_id,
                    lot=quant.lot,
                    unit=quant.unit,
                    from_bin=quant.bin,
                    quantity=quantity,
                )
                rules.check_lies_there(line, quant)
        _add(transfer, rows)
        audit.record(action="erp.transfer.pack", target=transfer, by=by, now=now, reason=item.code)


def unpack(*, transfer: StockTransfer, line_ids: Collection[int], by: User, now: datetime) -> None:
    """Take lines out of a consignment that has not left; raise CannotTransfer."""
    with transaction.atomic():
        transfer = _locked(transfer)
        rules.check_can_pack(transfer)
        transfer.lines.filter(pk__in=list(line_ids)).delete()
        audit.record(action="erp.transfer.unpack", target=transfer, by=by, now=now)


def dispatch(*, transfer: StockTransfer, by: User | None, now: datetime) -> StockTransfer:
    """The consignment leaves: its goods are under way, at what they cost here on average.

    Raise CannotTransfer where something of it is not there, held, or reserved for somebody.
    """
    with transaction.atomic():
        _lock_sites(transfer)
        transfer = _locked(transfer)
        # Ten thousand units are of few items and bins: these are read once.
        lines = list(transfer.lines.prefetch_related("item", "from_bin").order_by("pk"))
        rules.check_can_dispatch(transfer, len(lines))
        _check_there(transfer, lines)
        prices = selectors.average_costs(
            {line.item_id for line in lines}, site_id=transfer.from_site_id
        )
        for item_id, price in prices.items():
            transfer.lines.filter(item=item_id).update(unit_cost=price)
        booking.book(
            [
                Entry(line.from_bin_id, line.item_id, -line.quantity, line.lot_id, line.unit_id)
                for line in lines
            ],
            why=_why(MoveKind.DISPATCH, transfer, by, now),
        )
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
        transfer = _locked(transfer)
        lines = {
            line.pk: line
            for line in transfer.lines.filter(pk__in=list(arrivals))
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
        audit.record(action="erp.transfer.receive", target=transfer, by=by, now=now)
    return transfer


def close(*, transfer: StockTransfer, reason: str, by: User | None, now: datetime) -> StockTransfer:
    """What has not arrived does not arrive any more; raise CannotTransfer without a reason."""
    with transaction.atomic():
        _lock_sites(transfer)
        transfer = _locked(transfer)
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
        transfer = _locked(transfer)
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


def _units(source: Where, quantity: Decimal) -> list[tuple[StockQuant, Decimal]]:
    """The units that are meant: those named, or the first that nobody has packed."""
    packed = TransferLine.objects.filter(
        transfer__state=TransferState.DRAFT, unit__isnull=False, item=source.item_id
    )
    if source.unit_ids:
        mine = packed.filter(unit__in=list(source.unit_ids)).select_related("unit", "transfer")
        rules.check_not_packed(mine[:1])
        return moving.taken(source, quantity)
    there = StockQuant.objects.filter(bin=source.bin_id, item=source.item_id, staged=0)
    free = there.exclude(unit__in=packed.values("unit")).order_by("pk")
    ids = list(free.values_list("unit_id", flat=True)[: int(quantity)])
    return moving.taken(Where(source.bin_id, source.item_id, unit_ids=ids or [0]), quantity)


def _packed(transfer: StockTransfer, source: Where) -> Decimal:
    """How much of it the consignment holds already."""
    lines = transfer.lines.filter(item=source.item_id, from_bin=source.bin_id)
    if source.lot_id:
        lines = lines.filter(lot=source.lot_id)
    return sum(lines.values_list("quantity", flat=True), ZERO)


def _add(transfer: StockTransfer, rows: Sequence[tuple[StockQuant, Decimal]]) -> None:
    known = {
        (line.from_bin_id, line.item_id, line.lot_id, line.unit_id): line
        for line in transfer.lines.filter(
            item=rows[0][0].item_id, from_bin=rows[0][0].bin_id, unit__isnull=True
        )
    }
    new = []
    for quant, share in rows:
        line = known.get((quant.bin_id, quant.item_id, quant.lot_id, quant.unit_id))
        if line is not None:
            line.quantity += share
            line.save(update_fields=["quantity"])
            continue
        new.append((transfer.pk, quant.item_id, quant.lot_id, quant.unit_id, quant.bin_id, share))
    fields = ("transfer", "item", "lot", "unit", "from_bin", "quantity")
    bulk.insert(
        TransferLine,
        (*fields, "received", "missing", "unit_cost"),
        [(*row, ZERO, ZERO, ZERO) for row in new],
    )


def _check_there(transfer: StockTransfer, lines: Sequence[TransferLine]) -> None:
    found: dict[Place, StockQuant] = {
        (quant.bin_id, quant.item_id, quant.lot_id, quant.unit_id): quant
        for quant in StockQuant.objects.select_for_update(no_key=True)
        .filter(
            bin__in={line.from_bin_id for line in lines},
            item__in={line.item_id for line in lines},
        )
        .order_by("pk")
    }
    leaving: dict[int, Decimal] = {}
    codes = {}
    for line in lines:
        place = (line.from_bin_id, line.item_id, line.lot_id, line.unit_id)
        rules.check_lies_there(line, found.get(place))
        leaving[line.item_id] = leaving.get(line.item_id, ZERO) + line.quantity
        codes[line.item_id] = line.item.code
    free = selectors.free_stock(site_id=transfer.from_site_id, item_ids=leaving)
    for item_id, quantity in leaving.items():
        rules.check_may_leave(codes[item_id], quantity, free[item_id])


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
    supplies.note_transfers([transfer.pk])


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


def _locked(transfer: StockTransfer) -> StockTransfer:
    rows = StockTransfer.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("from_site", "to_site").get(pk=transfer.pk)
