"""An order's whole tree in the live schedule: its operations, and what waits for what."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from aps.models import ScheduledOperation, ScheduleRun
from aps.selectors.board import Bar, as_bars
from mes import selectors as mes
from mes.selectors import SupplyTree


@dataclass(frozen=True, slots=True)
class OrderTree:
    """Operations by start; a link is (operation, the operation that waits for it)."""

    operations: tuple[Bar, ...]
    links: tuple[tuple[int, int], ...]


def order_tree(run: ScheduleRun, number: str) -> OrderTree:
    """The tree of a sales order, or of a work order by its number; queries grow with levels."""
    planned = ScheduledOperation.objects.filter(run=run)
    tops = planned.filter(
        operation__work_order__pegs__requirement__reference__startswith=f"{number}/"
    ).values_list("operation__work_order__pegs__requirement_id", flat=True)
    tree = mes.supply_tree(set(tops))
    rows = planned.filter(
        Q(operation__work_order__in=list(tree.orders)) | Q(operation__work_order__number=number)
    )
    operations = as_bars(rows.order_by("starts_at", "ends_at", "operation_id"))
    return OrderTree(tuple(operations), tuple(_links(operations, tree)))


def _links(operations: Iterable[Bar], tree: SupplyTree) -> Iterable[tuple[int, int]]:
    """Within each work order from step to step, between them from the last to the first."""
    steps: dict[int, list[Bar]] = {}
    for bar in sorted(operations, key=lambda bar: (bar.sequence, bar.operation_id)):
        steps.setdefault(bar.work_order_id, []).append(bar)
    for row in steps.values():
        for before, after in zip(row, row[1:], strict=False):
            yield before.operation_id, after.operation_id
    owner = {
        line.requirement_id: line.work_order_id
        for lines in tree.materials.values()
        for line in lines
    }
    pairs = {(peg.work_order_id, owner.get(peg.requirement_id)) for peg in tree.pegs}
    for child, parent in sorted((a, b) for a, b in pairs if b is not None):
        if child in steps and parent in steps:
            yield steps[child][-1].operation_id, steps[parent][0].operation_id
