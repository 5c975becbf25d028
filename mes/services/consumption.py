"""What goes into a work order: issued at its start, with its good pieces, or by a scan."""

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from common import jobs
from common.models import User
from erp import selectors as erp
from erp.services import issuing, requirements, reservations, returns
from masterdata.enums import IssueMethod
from mes import policies, report_policies, selectors
from mes.models import WorkOrder, WorkOrderMaterial, WorkOrderOperation
from mes.report_policies import CannotScan, CannotUndo
from mes.services import acts, costs, work_order_changes
from traceability import selectors as traceability

__all__ = ["CannotScan", "issue_at_start", "scan"]

ZERO = Decimal(0)


def issue_at_start(order: WorkOrder, *, by: User | None, now: datetime) -> None:
    """Book out what is issued when the first operation starts."""
    rows = erp.coverage(_needs(order, IssueMethod.AT_START))
    open_needs = {row.requirement_id: row.quantity - row.issued for row in rows}
    issuing.issue_many(
        quantities={pk: quantity for pk, quantity in open_needs.items() if quantity > 0},
        reference=order.number,
        order_line=costs.order_line(order),
        by=by,
        now=now,
    )


def backflush(order: WorkOrder, *, by: User | None, now: datetime, line: str | None = None) -> None:
    """Book out what the pieces that are through, good and scrapped, have used up.

    ``line`` is the order line of the costs, where the caller knows it.
    """
    used = _used(order, IssueMethod.BACKFLUSH)
    issuing.backflush(
        quantities={pk: quantity for pk, quantity in used.items() if quantity > 0},
        site_id=order.site_id,
        reference=order.number,
        order_line=costs.order_line(order) if line is None else line,
        by=by,
        now=now,
    )


def take_back(order: WorkOrder, *, by: User | None, now: datetime) -> None:
    """Put back what was booked out with pieces that were reported by mistake.

    Raise CannotUndo where it cannot be told which lot it was.
    """
    for pk, quantity in _used(order, IssueMethod.BACKFLUSH).items():
        if quantity >= 0:
            continue
        try:
            returns.from_work_order(
                requirement_id=pk,
                quantity=-quantity,
                reference=order.number,
                by=by,
                now=now,
                still_needed=True,
            )
        except returns.CannotReturn as refusal:
            raise CannotUndo(
                _("Its material cannot be put back by itself: %(why)s") % {"why": refusal}
            ) from refusal


def close(order: WorkOrder, *, by: User | None, now: datetime) -> None:
    """The work order is over: what it did not use is free for others."""
    methods = (IssueMethod.BACKFLUSH, IssueMethod.SCAN)
    rows = erp.coverage([pk for method in methods for pk in _needs(order, method)])
    left = {row.requirement_id: row.issued for row in rows if row.quantity > row.issued}
    if left:
        requirements.set_quantities(left)


def reopen(order: WorkOrder, *, by: User | None, now: datetime) -> None:
    """The reverse of ``close``: it asks again for what it still needs, and for free stock."""
    methods = (IssueMethod.BACKFLUSH, IssueMethod.SCAN)
    lines = WorkOrderMaterial.objects.filter(work_order=order, issue_method__in=methods)
    items = dict(lines.values_list("requirement_id", "item_id"))
    needs = work_order_changes.component_needs(order)
    cut = requirements.reopen({pk: needs[pk] for pk in items})
    if not cut:
        return
    reservations.give_free(site_id=order.site_id, item_ids={items[pk] for pk in cut})
    jobs.enqueue(
        "mes.cover_again",
        key=f"cover_again:{order.pk}:{now.isoformat()}",
        group_key=f"cover_again:{order.site_id}",
        coalesce=True,
        site_id=order.site_id,
        by=by,
        now=now,
    )


def scan(*, operation: WorkOrderOperation, code: str, by: User, now: datetime) -> str:
    """Take the scanned lot or unit for the component that needs it; return what was booked.

    Of a lot as much as is still needed and lies there. Raise CannotScan for what this job does not
    need, and erp's CannotIssue for what is held, expired or not here.
    """
    with transaction.atomic():
        operation = acts.locked(operation, stock_moves=True)
        order = operation.work_order
        lots, units = list(traceability.lots_named(code)), list(traceability.units_named(code))
        lines = {line.item_id: line for line in selectors.scan_lines(order)}
        for thing in (*lots, *units):
            line = lines.get(thing.item_id)
            if line is None:
                continue
            report_policies.check_can_scan(operation)
            report_policies.check_is_needed(line)
            is_unit = thing in units
            quantity = Decimal(1) if is_unit else _from_lot(order, line, thing.pk, now)
            issuing.issue(
                requirement_id=line.requirement_id,
                quantity=quantity,
                reference=order.number,
                order_line=costs.order_line(order),
                by=by,
                now=now,
                lot_id=None if is_unit else thing.pk,
                unit_ids=[thing.pk] if is_unit else (),
            )
            return _("%(quantity)s of %(item)s taken from %(number)s") % {
                "quantity": policies.plain(quantity),
                "item": line.item.code,
                "number": thing.number,
            }
        raise report_policies.not_needed(code, [*lots, *units], list(lines.values()))


def _from_lot(order: WorkOrder, line: selectors.ScanLine, lot_id: int, now: datetime) -> Decimal:
    """What is still needed, less where the lot holds less; erp says why where it gives nothing."""
    here = erp.usable(
        site_id=order.site_id,
        item_id=line.item_id,
        on=erp.today(site_id=order.site_id, now=now),
        lot_id=lot_id,
    )
    lies = sum((quant.quantity - quant.staged for quant in here), ZERO)
    # What stands ready for this need is taken first; what stands ready for others is theirs.
    lies += sum(
        (row.quantity for row in erp.stagings([line.requirement_id]) if row.quant.lot_id == lot_id),
        ZERO,
    )
    return min(line.missing, lies) if lies > 0 else line.missing


def _needs(order: WorkOrder, method: IssueMethod) -> list[int]:
    rows = WorkOrderMaterial.objects.filter(work_order=order, issue_method=method)
    return list(rows.values_list("requirement_id", flat=True))


def _used(order: WorkOrder, method: IssueMethod) -> dict[int, Decimal]:
    """By requirement: what the pieces so far ask for beyond what was booked out."""
    lines = WorkOrderMaterial.objects.filter(work_order=order, issue_method=method)
    items = {line.requirement_id: line.item.uom for line in lines.select_related("item")}
    through = (order.good + order.scrapped) / order.quantity
    result = {}
    for row in erp.coverage(_ids(items)):
        wanted = (row.quantity * through).quantize(Decimal("0.0001"))
        if items[row.requirement_id] in report_policies.WHOLE:
            wanted = wanted.to_integral_value(rounding=ROUND_CEILING)
        result[row.requirement_id] = min(wanted, row.quantity) - row.issued
    return result


def _ids(rows: Iterable[int]) -> list[int]:
    return sorted(rows)
