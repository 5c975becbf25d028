"""Take supply back where less is needed: what has not started shrinks, what has is listed."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit, bulk, events, transitions
from common.concurrency import Lock, lock
from common.models import User
from erp import selectors as erp
from erp.selectors import Coverage
from erp.services import requirements, reservations
from masterdata.enums import LotPolicy
from masterdata.services import lots
from mes import selectors
from mes.enums import WORK_ORDER_TRANSITIONS, OperationState, WorkOrderState
from mes.events import WorkOrdersChanged
from mes.models import WorkOrder, WorkOrderOperation, WorkOrderPeg
from mes.selectors import SupplyTree
from mes.services.supply import coming
from mes.services.supply.types import CannotUnplan, StartedWork, Unplanned

ZERO = Decimal(0)


def unplan(
    *, site_id: int, quantities: Mapping[int, Decimal], by: User | None, now: datetime
) -> Unplanned:
    """Bring requirements (by id) down to their new quantities; 0 cancels. In one transaction.

    Over all levels: gives back stock, cuts pegs, and cancels or shrinks what has not started.
    What has started is listed, untouched; its surplus is free for others. Raise CannotUnplan for
    more than before and erp's CannotChange for less than has left the stock.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        tree = selectors.supply_tree(quantities, below_started=False)
        rows = {row.requirement_id: row for row in erp.coverage(tree.requirement_ids)}
        _check(quantities, rows)
        reduction = _Reduction(tree, rows, dict(quantities))
        reduction.run()
        _write(reduction, site_id, by, now)
        if reduction.resized or reduction.started:
            events.publish(WorkOrdersChanged(site_id=site_id), by=by, now=now)
    return Unplanned(
        undone=tuple(sorted(tree.orders[pk].number for pk in reduction.resized)),
        started=tuple(reduction.started.values()),
    )


def _check(quantities: Mapping[int, Decimal], rows: Mapping[int, Coverage]) -> None:
    for pk, quantity in quantities.items():
        if quantity > rows[pk].quantity:
            raise CannotUnplan(
                _("%(reference)s: %(new)s is more than the %(old)s it has.")
                % {
                    "reference": rows[pk].reference,
                    "new": f"{quantity.normalize():f}",
                    "old": f"{rows[pk].quantity.normalize():f}",
                }
            )


@dataclass(slots=True)
class _Reduction:
    """One reduction, worked out in memory from the top of the tree down."""

    tree: SupplyTree
    rows: Mapping[int, Coverage]
    # New whole quantity of each requirement that shrinks.
    wanted: dict[int, Decimal]
    reserved: dict[int, Decimal] = field(default_factory=dict)
    # Work orders that have not started, with their new quantity to start (0: cancelled).
    resized: dict[int, Decimal] = field(default_factory=dict)
    started: dict[int, StartedWork] = field(default_factory=dict)
    cut: set[WorkOrderPeg] = field(default_factory=set)
    _by_requirement: dict[int, list[WorkOrderPeg]] = field(default_factory=dict)
    _by_order: dict[int, list[WorkOrderPeg]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for peg in self.tree.pegs:
            self._by_requirement.setdefault(peg.requirement_id, []).append(peg)
            self._by_order.setdefault(peg.work_order_id, []).append(peg)

    def run(self) -> None:
        """Item by item, parents before components, so that all that shrinks is known."""
        by_item: dict[int, list[Coverage]] = {}
        for row in self.rows.values():
            by_item.setdefault(row.item_id, []).append(row)
        for item_id in self._parents_first(by_item):
            shrunk = [r for r in by_item[item_id] if r.requirement_id in self.wanted]
            shrunk.sort(key=lambda row: (row.due_at, -row.weight, row.requirement_id))
            self._share_stock(shrunk)
            touched: set[int] = set()
            for row in reversed(shrunk):
                touched |= self._cut_pegs(row)
            for pk in sorted(touched):
                self._resize(self.tree.orders[pk])

    def _parents_first(self, item_ids: Mapping[int, object]) -> list[int]:
        below: dict[int, set[int]] = {pk: set() for pk in item_ids}
        for pk, lines in self.tree.materials.items():
            below[self.tree.orders[pk].item_id].update(line.item_id for line in lines)
        waiting = dict.fromkeys(below, 0)
        for children in below.values():
            for child in children:
                waiting[child] += 1
        ready = deque(pk for pk, parents in waiting.items() if not parents)
        order = []
        while ready:
            order.append(ready.popleft())
            for child in below[order[-1]]:
                waiting[child] -= 1
                if not waiting[child]:
                    ready.append(child)
        return order

    def _promised(self, requirement_id: int) -> Decimal:
        return sum((p.quantity - p.delivered for p in self._pegs_of(requirement_id)), ZERO)

    def _pegs_of(self, requirement_id: int) -> list[WorkOrderPeg]:
        return self._by_requirement.get(requirement_id, [])

    def _pegs_at(self, work_order_id: int) -> list[WorkOrderPeg]:
        return self._by_order.get(work_order_id, [])

    def _share_stock(self, rows: list[Coverage]) -> None:
        """Give the stock they hold to the first due first, as planning would have done.

        None falls below what its pegs cannot make up for.
        """
        pool = sum((row.reserved for row in rows), ZERO)
        open_need = {r.requirement_id: self.wanted[r.requirement_id] - r.issued for r in rows}
        least = {
            pk: max(ZERO, min(need, need - self._promised(pk))) for pk, need in open_need.items()
        }
        for row in rows:
            least[row.requirement_id] = min(least[row.requirement_id], row.reserved)
        pool -= sum(least.values(), ZERO)
        for row in rows:
            pk = row.requirement_id
            extra = max(ZERO, min(pool, open_need[pk] - least[pk]))
            pool -= extra
            self.reserved[pk] = least[pk] + extra

    def _cut_pegs(self, row: Coverage) -> set[int]:
        """Cut what is promised beyond the need: not started before started, latest due first."""
        pk = row.requirement_id
        excess = row.issued + self.reserved[pk] + self._promised(pk) - self.wanted[pk]
        touched = set()
        pegs = sorted(self._pegs_of(pk), key=self._undo_order)
        for peg in pegs:
            share = min(excess, peg.quantity - peg.delivered)
            if share <= 0:
                continue
            peg.quantity -= share
            excess -= share
            self.cut.add(peg)
            order = self.tree.orders[peg.work_order_id]
            if order.started_at is None:
                touched.add(order.pk)
            else:
                self._note_started(order, share)
        return touched

    def _undo_order(self, peg: WorkOrderPeg) -> tuple[bool, float, int]:
        order = self.tree.orders[peg.work_order_id]
        return order.started_at is not None, -order.due_at.timestamp(), -order.pk

    def _note_started(self, order: WorkOrder, share: Decimal) -> None:
        before = self.started.get(order.pk)
        self.started[order.pk] = StartedWork(
            work_order_id=order.pk,
            number=order.number,
            item_code=order.item.code,
            quantity=share + (before.quantity if before else ZERO),
        )

    def _resize(self, order: WorkOrder) -> None:
        pegged = sum((peg.quantity for peg in self._pegs_at(order.pk)), ZERO)
        item = order.item
        quantity = ZERO
        if pegged > 0:
            size = item.lot_size if item.lot_policy == LotPolicy.FIXED else None
            quantity = lots.to_start(
                pegged, scrap_rate=item.scrap_rate, uom=item.uom, lot_size=size
            )
        if quantity >= order.quantity:
            return
        order.quantity = quantity
        order.output = lots.expected_output(quantity, scrap_rate=item.scrap_rate, uom=item.uom)
        self.resized[order.pk] = quantity
        for line in self.tree.materials.get(order.pk, []):
            self.wanted[line.requirement_id] = lots.component_need(
                quantity,
                quantity_per=line.quantity_per,
                scrap_rate=line.scrap_rate,
                uom=line.item.uom,
            )


def _write(reduction: _Reduction, site_id: int, by: User | None, now: datetime) -> None:
    orders = [reduction.tree.orders[pk] for pk in sorted(reduction.resized)]
    _resize_orders([order for order in orders if order.quantity], by, now)
    _cancel_orders([order for order in orders if not order.quantity], by, now)
    coming.note(reduction.resized)
    gone = [peg.pk for peg in reduction.cut if not peg.quantity]
    WorkOrderPeg.objects.filter(pk__in=gone).delete()
    bulk.save([peg for peg in reduction.cut if peg.quantity], ["quantity"])
    held = {pk: reduction.rows[pk].reserved for pk in reduction.reserved}
    reservations.release({pk: held[pk] - new for pk, new in reduction.reserved.items()})
    requirements.set_quantities(reduction.wanted)
    reservations.reserve({pk: new - held[pk] for pk, new in reduction.reserved.items()})
    items = {reduction.rows[pk].item_id for pk in reduction.wanted}
    reservations.give_free(site_id=site_id, item_ids=items)


def _resize_orders(orders: list[WorkOrder], by: User | None, now: datetime) -> None:
    bulk.save(orders, ["quantity", "output"])
    audit.record_many(action="mes.work_order.reduce", targets=orders, by=by, now=now)


def _cancel_orders(orders: list[WorkOrder], by: User | None, now: datetime) -> None:
    for order in orders:
        transitions.check(
            WORK_ORDER_TRANSITIONS,
            old=WorkOrderState(order.state),
            new=WorkOrderState.CANCELLED,
        )
    ids = [order.pk for order in orders]
    # The quantities stay, to be read later; only the state and what hangs on it go.
    WorkOrder.objects.filter(pk__in=ids).update(state=WorkOrderState.CANCELLED)
    cancel_operations(ids)
    audit.record_many(action="mes.work_order.cancel", targets=orders, by=by, now=now)


def cancel_operations(work_order_ids: list[int]) -> None:
    """Cancel the operations of work orders that have not started, and drop their plan."""
    locked = (
        WorkOrderOperation.objects.select_for_update(no_key=True)
        .filter(
            work_order__in=work_order_ids,
            state__in=[OperationState.WAITING, OperationState.READY],
        )
        .order_by("pk")
    )
    WorkOrderOperation.objects.filter(pk__in=list(locked.values_list("pk", flat=True))).update(
        state=OperationState.CANCELLED,
        planned_work_unit=None,
        planned_starts_at=None,
        planned_ends_at=None,
    )
