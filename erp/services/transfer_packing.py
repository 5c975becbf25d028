"""A consignment to another site is packed and unpacked; nothing moves before it is dispatched."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from common import audit, bulk
from common.concurrency import Lock, lock
from common.models import User
from erp import policies_transfers as rules
from erp import selectors
from erp.enums import TransferState
from erp.models import StockQuant, StockTransfer, TransferLine
from erp.services import moving
from erp.services.moving import Where
from masterdata import selectors as masterdata
from masterdata.enums import Tracking

ZERO = Decimal(0)


def pack(
    *, transfer: StockTransfer, source: Where, quantity: Decimal, by: User | None, now: datetime
) -> None:
    """Put a quantity into the consignment; it stays in its bin until that leaves.

    Raise CannotMove where so much does not lie there, CannotTransfer for what is packed already.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, transfer.from_site_id)
        transfer = locked(transfer)
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
        transfer = locked(transfer)
        rules.check_can_pack(transfer)
        transfer.lines.filter(pk__in=list(line_ids)).delete()
        audit.record(action="erp.transfer.unpack", target=transfer, by=by, now=now)


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


def locked(transfer: StockTransfer) -> StockTransfer:
    """The consignment, its row held, with its sites."""
    rows = StockTransfer.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("from_site", "to_site").get(pk=transfer.pk)
