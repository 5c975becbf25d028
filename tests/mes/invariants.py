"""What holds of stock, requirements and work orders at any moment, whatever happened."""

from collections import defaultdict
from decimal import Decimal

from django.db.models import Sum

from erp.enums import PurchaseOrderState, TransferState
from erp.models import (
    PurchaseOrderLine,
    Requirement,
    Reservation,
    StockBalance,
    StockMove,
    TransferLine,
)
from erp.models import Supply as SupplyRow
from masterdata.enums import Supply
from mes.enums import WorkOrderState
from mes.models import WorkOrder, WorkOrderMaterial, WorkOrderPeg

ZERO = Decimal(0)


def check(*, all_covered=True, moves=False):
    """Assert the invariants; ``all_covered`` also that no need of a made item was forgotten."""
    held, promised = defaultdict(Decimal), defaultdict(Decimal)
    by_balance, pegged = defaultdict(Decimal), defaultdict(Decimal)
    for reservation in Reservation.objects.all():
        held[reservation.requirement_id] += reservation.quantity
        by_balance[reservation.balance_id] += reservation.quantity
    for peg in WorkOrderPeg.objects.all():
        promised[peg.requirement_id] += peg.quantity - peg.delivered
        pegged[peg.work_order_id] += peg.quantity
    for balance in StockBalance.objects.all():
        assert balance.reserved == by_balance[balance.pk], balance
        assert balance.reserved <= balance.on_hand, balance
        if moves:
            total = StockMove.objects.filter(item=balance.item, site=balance.site)
            assert balance.on_hand == (total.aggregate(s=Sum("quantity"))["s"] or ZERO)
    for order in WorkOrder.objects.exclude(state=WorkOrderState.CANCELLED):
        assert pegged[order.pk] <= order.output, f"{order}: pegs beyond its output"
        assert order.good + order.scrapped <= order.quantity, order
    for order in WorkOrder.objects.filter(state=WorkOrderState.CANCELLED):
        assert not pegged[order.pk], f"{order} is cancelled and somebody counts on it"
    for requirement in Requirement.objects.select_related("item"):
        _check_requirement(requirement, held[requirement.pk], promised[requirement.pk], all_covered)
    _check_materials()
    _check_supply()


def _check_requirement(requirement, held, promised, all_covered):
    covered = requirement.issued + held + promised
    assert covered <= requirement.quantity, f"{requirement} is covered twice: {covered}"
    if requirement.state != "open":
        assert not held, requirement
        assert not promised, requirement
    elif all_covered and requirement.item.supply == Supply.MAKE:
        assert covered == requirement.quantity, f"{requirement} is covered with {covered} only"


def _check_materials():
    """A work order asks for what its quantity needs, and once it is over for no more than that."""
    for line in WorkOrderMaterial.objects.select_related("work_order", "requirement", "item"):
        order = line.work_order
        if order.state == WorkOrderState.CANCELLED:
            assert line.requirement.quantity == 0, line
            continue
        exact = order.quantity * line.quantity_per / (1 - line.scrap_rate)
        assert line.requirement.quantity < exact + 1, line
        if order.state not in (WorkOrderState.COMPLETED, WorkOrderState.CLOSED):
            assert exact <= line.requirement.quantity, line


def _check_supply():
    """What planning reads as coming is the open output of open work, and what is on order."""
    written = {
        (row.kind, row.source_id): (row.item_id, row.quantity, row.due_at, row.is_started)
        for row in SupplyRow.objects.all()
    }
    true = {
        ("work_order", order.pk): (
            order.item_id,
            order.output - order.good,
            order.due_at,
            order.started_at is not None,
        )
        for order in WorkOrder.objects.filter(state__in=WorkOrderState.open())
        if order.output > order.good
    }
    for line in PurchaseOrderLine.objects.select_related("order"):
        left = line.quantity - line.received - line.rejected
        if line.order.state in PurchaseOrderState.counted() and left > 0:
            key = ("purchase_order", line.pk)
            assert written[key][:2] == (line.item_id, left), line
            true[key] = written[key]
    # A row for each item of a transfer, by its first line.
    coming = defaultdict(dict)
    lines = TransferLine.objects.filter(transfer__state__in=TransferState.on_the_way())
    for line in lines.order_by("pk"):
        coming[line.transfer_id, line.item_id][line.pk] = line.open_quantity
    for (_transfer, item_id), open_lines in coming.items():
        if left := sum(open_lines.values()):
            key = ("transfer", min(open_lines))
            assert written[key][:2] == (item_id, left), key
            true[key] = written[key]
    assert written == true
