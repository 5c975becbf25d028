"""How far the work for a requirement is, in words a customer may read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from erp import selectors as erp
from mes.enums import OperationState, WorkOrderState
from mes.models import WorkOrderOperation
from mes.selectors.tree import SupplyTree, supply_tree

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Progress:
    """Percent made (0 to 100, over all levels) and the step that is worked on."""

    percent: int
    # The running operation nearest to the end product, in both languages; empty if none runs.
    operation_name: str = ""
    operation_name_zh: str = ""
    item_code: str = ""
    started_at: datetime | None = None


def progress(requirement_ids: Collection[int]) -> dict[int, Progress]:
    """Progress of each requirement, by id; a constant number of queries a level.

    Percent counts each operation of the tree below once, by the share of its pieces that is
    done; stock that was there from the start counts as made.
    """
    wanted = list(requirement_ids)
    tree = supply_tree(wanted)
    operations: dict[int, list[WorkOrderOperation]] = {pk: [] for pk in tree.orders}
    rows = WorkOrderOperation.objects.filter(work_order__in=list(tree.orders))
    for operation in rows.exclude(state=OperationState.CANCELLED).order_by("sequence"):
        operations[operation.work_order_id].append(operation)
    coverage = {row.requirement_id: row for row in erp.coverage(wanted)}
    below = _OrdersBelow(tree)
    found = {}
    for pk in wanted:
        row = coverage.get(pk)
        is_made = row is not None and row.missing == 0
        found[pk] = _progress(tree, below(pk), operations, is_made)
    return found


class _OrdersBelow:
    """The work orders of the tree below one requirement, the nearest to it first."""

    def __init__(self, tree: SupplyTree) -> None:
        self._tree = tree
        self._children: dict[int, list[int]] = {}
        for peg in tree.pegs:
            self._children.setdefault(peg.requirement_id, []).append(peg.work_order_id)

    def __call__(self, requirement_id: int) -> list[int]:
        found: dict[int, None] = {}
        wave = [requirement_id]
        while wave:
            fresh = [pk for r in wave for pk in self._children.get(r, []) if pk not in found]
            found |= dict.fromkeys(fresh)
            wave = [m.requirement_id for pk in fresh for m in self._tree.materials.get(pk, [])]
        return list(found)


def _progress(
    tree: SupplyTree,
    order_ids: list[int],
    operations: dict[int, list[WorkOrderOperation]],
    is_made: bool,
) -> Progress:
    total = done = ZERO
    current: WorkOrderOperation | None = None
    for pk in order_ids:
        order = tree.orders[pk]
        if order.state == WorkOrderState.CANCELLED:
            continue
        for operation in operations[pk]:
            total += 1
            done += _share_done(operation, order.quantity)
            if current is None and operation.state in OperationState.started():
                current = operation
    percent = 100 if is_made else int(done / total * 100) if total else 0
    if current is None:
        return Progress(percent=percent)
    return Progress(
        percent=percent,
        operation_name=current.name,
        operation_name_zh=current.name_zh,
        item_code=tree.orders[current.work_order_id].item.code,
        started_at=current.started_at,
    )


def _share_done(operation: WorkOrderOperation, quantity: Decimal) -> Decimal:
    if operation.state == OperationState.DONE:
        return Decimal(1)
    return min(Decimal(1), (operation.good + operation.scrap) / quantity)
