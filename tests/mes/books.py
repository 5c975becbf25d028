"""What the floor's own books must say at any moment: pieces, material, time and money agree."""

from collections import defaultdict
from decimal import Decimal

from erp.enums import CostKind, MoveKind
from erp.models import CostEntry, StockMove
from mes.enums import WorkOrderState
from mes.models import (
    OperationReport,
    TimeBooking,
    WorkOrder,
    WorkOrderMaterial,
    WorkOrderOperation,
)
from mes.services import time
from tests.mes import invariants
from tests.traceability import ledger

ZERO = Decimal(0)
# Hours are kept to the ten-thousandth, and what costs less than half a cent is not booked.
HOURS = Decimal("0.0005")


def check():
    """Assert all of it."""
    invariants.check(all_covered=False)
    pieces_are_conserved()
    material_is_conserved()
    costs_agree()
    ledger.agrees_with_stock()


def pieces_are_conserved():
    """Operations say what their reports sum to, and never more than came to them."""
    reported = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for operation, *figures in OperationReport.objects.values_list(
        "operation", "good", "scrap", "rework"
    ):
        sums = reported[operation]
        for place, figure in enumerate(figures):
            sums[place] += figure
    made = _sums(StockMove.objects.filter(kind=MoveKind.PRODUCTION), "reference")
    for order in WorkOrder.objects.select_related("item"):
        came, scrapped, last = order.quantity, ZERO, None
        for operation in WorkOrderOperation.objects.filter(work_order=order).order_by("sequence"):
            good, scrap, rework = reported[operation.pk]
            assert (operation.good, operation.scrap, operation.rework) == (good, scrap, rework)
            assert min(good, scrap, rework) >= 0, operation
            assert good + scrap + rework <= came, operation
            came, last = good, operation
            scrapped += scrap
        assert order.scrapped == scrapped, order
        assert last is None or order.good == last.good, order
        assert made[order.number] == order.good, f"{order}: {made[order.number]} in stock"


def material_is_conserved():
    """What left the store for an order is what its requirements say was issued, item by item."""
    moved = _sums(StockMove.objects.filter(kind__in=MoveKind.on_orders()), "reference", "item")
    issued = defaultdict(Decimal)
    for line in WorkOrderMaterial.objects.select_related("requirement", "work_order"):
        assert 0 <= line.requirement.issued <= line.requirement.quantity, line
        issued[line.work_order.number, line.item_id] += line.requirement.issued
    for key, quantity in issued.items():
        # What came back and is not needed again was issued all the same.
        assert -moved[key] <= quantity, (key, moved[key], quantity)


def costs_agree():
    """Ledger entries are what moves, output and booked time say; a closed order sums to zero."""
    entries = list(CostEntry.objects.all())
    by_kind = defaultdict(Decimal)
    totals = defaultdict(Decimal)
    for entry in entries:
        totals[entry.work_order] += entry.amount
        key = (entry.kind, entry.work_order, entry.item_id)
        by_kind[key] += entry.quantity or ZERO
    moved = _sums(StockMove.objects.filter(kind__in=MoveKind.on_orders()), "reference", "item")
    for (number, item), quantity in moved.items():
        assert by_kind[CostKind.MATERIAL, number, item] == -quantity, (number, item)
    for order in WorkOrder.objects.all():
        assert by_kind[CostKind.OUTPUT, order.number, order.item_id] == order.good, order
        if order.state == WorkOrderState.CLOSED:
            assert totals[order.number] == 0, f"{order} is closed with {totals[order.number]}"
    _time_is_paid_once(entries)


def _time_is_paid_once(entries):
    """Each ended minute of a machine is on its order; a person's minutes add up to their day."""
    hours = defaultdict(Decimal)
    for entry in entries:
        if entry.kind in (CostKind.MACHINE, CostKind.LABOUR):
            hours[entry.source, entry.kind] += entry.quantity
    people = defaultdict(list)
    for row in TimeBooking.objects.exclude(kind="pause"):
        if row.person_id is not None:
            people[row.person_id].append(row)
        elif row.ends_at is not None:
            worked = Decimal((row.ends_at - row.starts_at).total_seconds()) / 3600
            booked = hours[f"time:{row.pk}", CostKind.MACHINE]
            assert abs(worked - booked) <= HOURS, row
    for rows in people.values():
        if any(row.ends_at is None for row in rows):
            continue
        worked = sum(time.shared(rows, until=max(row.ends_at for row in rows)).values())
        booked = sum(hours[f"time:{row.pk}", CostKind.LABOUR] for row in rows)
        assert abs(float(worked) / 60 - float(booked)) <= float(HOURS) * len(rows), rows


def _sums(rows, *names):
    """The moves' quantities by one field, or by several."""
    found = defaultdict(Decimal)
    for *key, quantity in rows.values_list(*names, "quantity"):
        found[key[0] if len(key) == 1 else tuple(key)] += quantity
    return found
