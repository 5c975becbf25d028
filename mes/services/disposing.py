"""Dispositions done: by the store's bookings, the floor's reports and the ledger's entries."""

from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from common.models import User
from erp import selectors as erp
from erp.enums import MoveKind
from erp.services import moving, returns, stock, writing_off
from masterdata import selectors as masterdata
from masterdata.enums import Tracking
from mes.enums import DispositionKind, DispositionState
from mes.models import Disposition
from mes.nonconformance_policies import CannotDispose
from mes.policies import plain
from mes.services import execution, nonconformances
from traceability import selectors as traceability
from traceability.enums import EventKind
from traceability.services import genealogy
from traceability.services.identities import Origin

ZERO = Decimal(0)
_LEAVING = (DispositionKind.SCRAP, DispositionKind.RETURN, DispositionKind.REGRADE)


def carry_out(row: Disposition, *, by: User, now: datetime) -> None:
    """Book what the decision asks for, in the caller's transaction.

    What is used as is, reworked or repaired in the store moves nothing: it is let go afterwards.
    """
    if row.operation is not None:
        _report(row, by, now)
    elif row.kind in _LEAVING:
        for source, quantity in _sources(row):
            _leave(row, source, quantity, by, now)
        if row.kind == DispositionKind.REGRADE:
            _regrade(row, by, now)


def let_go(row: Disposition, *, by: User, now: datetime) -> None:
    """Lift the holds on its units, and on its lot once nothing more is to be done with that."""
    found = row.nonconformance
    if row.unit_ids:
        nonconformances.release_holds(found, by=by, now=now, unit_ids=row.unit_ids)
    if row.lot_id is None:
        return
    left = found.dispositions.filter(lot=row.lot_id, state=DispositionState.DECIDED)
    if not left.exists():
        nonconformances.release_holds(found, by=by, now=now, lot_ids=[row.lot_id])


def _report(row: Disposition, by: User, now: datetime) -> None:
    """Pieces in process are counted where they are: lost, or set aside to be worked on again."""
    operation = row.operation
    assert operation is not None  # noqa: S101 - the caller looked
    reason = row.nonconformance.number
    if row.kind == DispositionKind.SCRAP:
        execution.report(
            operation=operation, good=ZERO, scrap=row.quantity, reason=reason, by=by, now=now
        )
    elif row.kind in (DispositionKind.REWORK, DispositionKind.REPAIR):
        execution.report(
            operation=operation, good=ZERO, rework=row.quantity, reason=reason, by=by, now=now
        )


def _sources(row: Disposition) -> list[tuple[moving.Where, Decimal]]:
    """From which bins it is taken, what is on hold first; raise CannotDispose for too little."""
    found = row.nonconformance
    wanted: list[tuple[moving.Where, Decimal]] = []
    left = row.quantity
    item_id = row.lot.item_id if row.lot else found.item_id
    rows = erp.quants(site_id=found.site_id, item_id=item_id, lot_id=row.lot_id)
    if row.unit_ids:
        rows = rows.filter(unit__in=row.unit_ids)
    for quant in sorted(rows, key=lambda quant: (not quant.is_held, quant.pk)):
        share = min(left, quant.quantity - quant.staged)
        if share > 0:
            units = [quant.unit_id] if quant.unit_id else []
            wanted.append((moving.Where(quant.bin_id, quant.item_id, quant.lot_id, units), share))
            left -= share
    if left > 0:
        raise CannotDispose(
            _("%(missing)s of it do not lie in the store.") % {"missing": plain(left)}
        )
    return wanted


def _leave(
    row: Disposition, source: moving.Where, quantity: Decimal, by: User, now: datetime
) -> None:
    reference = row.nonconformance.number
    if row.kind == DispositionKind.RETURN:
        returns.to_supplier(source=source, quantity=quantity, reference=reference, by=by, now=now)
        return
    # What is on hold leaves as scrap or to its supplier alone; of a regraded lot the genealogy
    # says what became of it.
    is_regraded = row.kind == DispositionKind.REGRADE
    writing_off.write_off(
        source=source,
        quantity=quantity,
        reference=reference,
        by=by,
        now=now,
        kind=MoveKind.ADJUSTMENT if is_regraded else MoveKind.SCRAP,
    )


def _regrade(row: Disposition, by: User, now: datetime) -> None:
    """The same goods as another item, and of a lot that the new one comes of it."""
    found, item_id = row.nonconformance, row.regraded_to_id
    assert item_id is not None  # noqa: S101 - a constraint
    target = masterdata.items_by_id([item_id])[item_id]
    number = row.lot.number if row.lot and target.tracking == Tracking.LOT else ""
    old = row.lot
    origin = Origin(old.supplier_id, old.supplier_lot, old.expires_on) if old else Origin()
    stock.receive(
        item_id=item_id,
        site_id=found.site_id,
        quantity=row.quantity,
        kind=MoveKind.RECEIPT,
        reference=found.number,
        lot_number=number,
        origin=origin,
        by=by,
        now=now,
    )
    lot = traceability.lot_of(item_id=item_id, number=number) if number else None
    if row.lot_id is not None and lot is not None:
        genealogy.split(
            fact=genealogy.Fact(
                kind=EventKind.SPLIT,
                at=now,
                site_id=found.site_id,
                by_id=by.pk,
                reference=found.number,
            ),
            source=row.lot_id,
            parts={lot.pk: row.quantity},
        )
