"""The pegging tree: requirement → work order → its materials' requirements → …, both ways."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from mes.models import WorkOrder, WorkOrderMaterial, WorkOrderPeg


@dataclass(slots=True)
class SupplyTree:
    """All that serves some requirements, downwards: work orders, their pegs and materials."""

    requirement_ids: set[int] = field(default_factory=set)
    # With their items.
    orders: dict[int, WorkOrder] = field(default_factory=dict)
    # All pegs of those work orders, those to requirements outside of the tree included.
    pegs: list[WorkOrderPeg] = field(default_factory=list)
    # By work order, with their items.
    materials: dict[int, list[WorkOrderMaterial]] = field(default_factory=dict)


def supply_tree(requirement_ids: Iterable[int], *, below_started: bool = True) -> SupplyTree:
    """The work orders that serve the requirements over all levels; three queries a level.

    ``below_started=False`` does not go below work orders that have started.
    """
    tree = SupplyTree()
    wave = set(requirement_ids)
    while wave:
        tree.requirement_ids |= wave
        fresh = (
            WorkOrder.objects.filter(pegs__requirement__in=list(wave))
            .exclude(pk__in=list(tree.orders))
            .select_related("item")
            .distinct()
        )
        orders = {order.pk: order for order in fresh}
        tree.orders |= orders
        tree.pegs += WorkOrderPeg.objects.filter(work_order__in=list(orders)).order_by("pk")
        below = [pk for pk, o in orders.items() if below_started or o.started_at is None]
        wave = _add_materials(tree, below)
    return tree


def tree_of_one(order: WorkOrder) -> SupplyTree:
    """A work order (with its item) and those that make its components; four queries."""
    tree = SupplyTree(orders={order.pk: order})
    _add_materials(tree, [order.pk])
    wanted = [line.requirement_id for line in tree.materials.get(order.pk, ())]
    tree.pegs += WorkOrderPeg.objects.filter(requirement__in=wanted).order_by("pk")
    below = WorkOrder.objects.filter(pk__in={peg.work_order_id for peg in tree.pegs})
    found = {made.pk: made for made in below.select_related("item")}
    tree.orders |= found
    _add_materials(tree, found)
    return tree


def _add_materials(tree: SupplyTree, work_order_ids: Iterable[int]) -> set[int]:
    """Read the materials of the work orders; return their requirements."""
    lines = WorkOrderMaterial.objects.filter(work_order__in=list(work_order_ids))
    wave = set()
    for line in lines.select_related("item").order_by("work_order", "position"):
        tree.materials.setdefault(line.work_order_id, []).append(line)
        wave.add(line.requirement_id)
    return wave


def work_orders_serving(requirement_ids: Collection[int]) -> list[WorkOrder]:
    """The work orders of the whole tree below the requirements, cancelled ones left out."""
    return sorted(supply_tree(requirement_ids).orders.values(), key=lambda o: (o.due_at, o.pk))


def requirements_served(work_order_id: int) -> list[int]:
    """The requirements at the top of the tree above a work order: those of order lines."""
    return sorted(_served({work_order_id}).get(work_order_id, frozenset()))


def requirements_served_by(work_order_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """Like requirements_served, for many work orders at once; two queries a level."""
    return _served(set(work_order_ids))


def requirements_started(requirement_ids: Collection[int]) -> frozenset[int]:
    """Those of the requirements for which work on some level has started or is done."""
    wanted = set(requirement_ids)
    if not wanted:
        return frozenset()
    tree = supply_tree(wanted)
    started = {pk for pk, order in tree.orders.items() if order.started_at is not None}
    served = _served(started)
    return frozenset(wanted.intersection(*[set[int]().union(*(served[pk] for pk in started))]))


def promised_quantities(requirement_ids: Iterable[int]) -> dict[int, Decimal]:
    """What work orders are still to deliver to each requirement, by id; 0 where nothing is."""
    totals = dict.fromkeys(requirement_ids, Decimal(0))
    pegs = WorkOrderPeg.objects.filter(requirement__in=list(totals))
    for pk, quantity, delivered in pegs.values_list("requirement_id", "quantity", "delivered"):
        totals[pk] += quantity - delivered
    return totals


def pegged_quantities(work_order_ids: Iterable[int]) -> dict[int, Decimal]:
    """What of each work order's output is for somebody, by id, delivered or not."""
    totals = dict.fromkeys(work_order_ids, Decimal(0))
    pegs = WorkOrderPeg.objects.filter(work_order__in=list(totals))
    for pk, quantity in pegs.values_list("work_order_id", "quantity"):
        totals[pk] += quantity
    return totals


def _served(work_order_ids: set[int]) -> dict[int, frozenset[int]]:
    """Top requirements by work order, for those given and all above them."""
    pegs: dict[int, set[int]] = {}
    owner: dict[int, int] = {}
    wave = set(work_order_ids)
    while wave:
        rows = WorkOrderPeg.objects.filter(work_order__in=list(wave))
        found: set[int] = set()
        pegs |= {pk: set() for pk in wave}
        for pk, requirement_id in rows.values_list("work_order_id", "requirement_id"):
            pegs[pk].add(requirement_id)
            found.add(requirement_id)
        above = WorkOrderMaterial.objects.filter(requirement__in=list(found))
        parents = dict(above.values_list("requirement_id", "work_order_id"))
        owner |= parents
        wave = set(parents.values()) - pegs.keys()
    memo: dict[int, frozenset[int]] = {}
    for pk in pegs:
        _collect_tops(pk, pegs, owner, memo)
    return memo


def _collect_tops(
    start: int, pegs: dict[int, set[int]], owner: dict[int, int], memo: dict[int, frozenset[int]]
) -> None:
    stack = [start]
    while stack:
        pk = stack[-1]
        parents = {owner[r] for r in pegs[pk] if r in owner}
        unknown = [parent for parent in parents if parent not in memo]
        if unknown and pk not in memo:
            stack.extend(unknown)
            continue
        stack.pop()
        tops = {r for r in pegs[pk] if r not in owner}
        memo[pk] = frozenset(tops.union(*[memo[parent] for parent in parents]))
