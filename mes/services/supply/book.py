"""What planning starts from: structures by day, free stock, free output, lots that may grow."""

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from erp import selectors as erp
from masterdata import selectors as masterdata
from masterdata.selectors import ItemStructure
from mes import selectors
from mes.enums import WorkOrderState
from mes.models import WorkOrder, WorkOrderMaterial
from mes.selectors import FreeOutput


class Structures:
    """BOM and routing of the day on which the work starts, read once per span without changes."""

    def __init__(self, *, zone: ZoneInfo, now: datetime) -> None:
        self._zone = zone
        self._today = now.astimezone(zone).date()
        self._days: dict[date, dict[int, ItemStructure]] = {}
        self._known: set[int] = set()
        self._changes = masterdata.structure_changes()

    def know(self, item_ids: Iterable[int]) -> None:
        """Read these items together whenever a new day comes up."""
        self._known.update(item_ids)

    def of(self, item_id: int, due_at: datetime) -> ItemStructure:
        """The item as it is when work for ``due_at`` starts: that less its lead time.

        Never before today: what should have started earlier is made as things are made now.
        """
        due = max(due_at.astimezone(self._zone).date(), self._today)
        lead = timedelta(days=self._on(self._today, item_id).lead_time_days)
        return self._on(max(due - lead, self._today), item_id)

    def day(self, moment: datetime) -> date:
        """The local day of a moment, today at the earliest."""
        return max(moment.astimezone(self._zone).date(), self._today)

    def levels(self, needs: Iterable[tuple[int, datetime]]) -> dict[int, int]:
        """Low-level codes over all days that can occur: components below all their parents."""
        below: dict[int, set[int]] = {}
        seen: set[tuple[int, date]] = set()
        stack = list(needs)
        while stack:
            item_id, due_at = stack.pop()
            if (item_id, self.day(due_at)) in seen:
                continue
            seen.add((item_id, self.day(due_at)))
            item = self.of(item_id, due_at)
            children = {component.item_id for component in item.components}
            below.setdefault(item_id, set()).update(children)
            due_below = due_at - timedelta(days=item.lead_time_days)
            stack.extend((child, due_below) for child in children)
        return _longest_paths(below)

    def _on(self, day: date, item_id: int) -> ItemStructure:
        # The last change up to the day stands for all days until the next one.
        place = bisect_right(self._changes, day)
        day = self._changes[place - 1] if place else day
        found = self._days.setdefault(day, {})
        if item_id not in found:
            self._known.add(item_id)
            found.update(masterdata.structures(item_ids=self._known - found.keys(), on=day))
            self._known.update(found)
        return found[item_id]


@dataclass(slots=True)
class GrowingMaterial:
    """A frozen line of a lot that may still grow, with what its requirement asks for."""

    position: int
    item_id: int
    quantity_per: Decimal
    scrap_rate: Decimal
    uom: str
    requirement_id: int
    quantity: Decimal


@dataclass(slots=True)
class GrowingOrder:
    """A planned work order that gathers the demand of a period."""

    id: int
    number: str
    quantity: Decimal
    pegged: Decimal
    due_at: datetime
    priority: int
    materials: list[GrowingMaterial] = field(default_factory=list)


@dataclass(slots=True)
class Book:
    """The state of a site before planning; exploding works on copies."""

    site_id: int
    structures: Structures
    levels: dict[int, int]
    stock: dict[int, Decimal]
    outputs: dict[int, list[FreeOutput]]
    # Of the free stock, by requirement id: for those who waited before; not in ``stock`` any more.
    owed: dict[int, Decimal]
    # What comes from other sites and nobody waits for.
    coming: dict[int, Decimal]
    growing: dict[tuple[int, date], GrowingOrder]


def read(
    *,
    site_id: int,
    zone: ZoneInfo,
    needs: list[tuple[int, datetime]],
    now: datetime,
    wanted: Mapping[int, Decimal] | None = None,
) -> Book:
    """Read what planning these needs (item id, due) may touch; a few queries and each BOM day.

    ``wanted``: how much of which requirements (by id) is planned for now.
    """
    structures = Structures(zone=zone, now=now)
    structures.know({item_id for item_id, _due in needs})
    levels = structures.levels(needs)
    growing = dict(_growing(site_id, levels))
    frozen = {
        (material.item_id, order.due_at)
        for order in growing.values()
        for material in order.materials
    }
    if unknown := [pair for pair in frozen if pair[0] not in levels]:
        # A frozen BOM names what today's does not: those come last.
        lowest = max(levels.values(), default=0) + 1
        for item_id, level in structures.levels(unknown).items():
            levels.setdefault(item_id, lowest + level)
    outputs: dict[int, list[FreeOutput]] = defaultdict(list)
    grows = {order.id for order in growing.values()}
    for output in selectors.free_output(site_id=site_id, item_ids=levels):
        # What rounding left over in a lot that grows is used up when it grows.
        if output.work_order_id not in grows:
            outputs[output.item_id].append(output)
    stock = erp.free_stock(site_id=site_id, item_ids=levels)
    owed = selectors.owed(site_id=site_id, now=now, free=stock, wanted=wanted)
    for row in owed:
        stock[row.item_id] -= row.quantity
    given = {row.requirement_id: row.quantity for row in owed}
    transit = selectors.transit(site_id=site_id, now=now, item_ids=levels, wanted=wanted)
    coming = transit.free_quantities()
    return Book(site_id, structures, levels, stock, dict(outputs), given, coming, growing)


def _growing(
    site_id: int, item_ids: Iterable[int]
) -> Iterator[tuple[tuple[int, date], GrowingOrder]]:
    orders = {
        order.pk: order
        for order in WorkOrder.objects.filter(
            site_id=site_id,
            item__in=list(item_ids),
            state=WorkOrderState.PLANNED,
            started_at__isnull=True,
            period_date__isnull=False,
        ).order_by("pk")
    }
    pegged = selectors.pegged_quantities(orders)
    grown = {
        pk: GrowingOrder(pk, order.number, order.quantity, pegged[pk], order.due_at, order.priority)
        for pk, order in orders.items()
    }
    lines = WorkOrderMaterial.objects.filter(work_order__in=list(orders))
    for line in lines.select_related("item", "requirement").order_by("work_order", "position"):
        grown[line.work_order_id].materials.append(
            GrowingMaterial(
                position=line.position,
                item_id=line.item_id,
                quantity_per=line.quantity_per,
                scrap_rate=line.scrap_rate,
                uom=line.item.uom,
                requirement_id=line.requirement_id,
                quantity=line.requirement.quantity,
            )
        )
    for pk, order in orders.items():
        if order.period_date is not None:
            yield (order.item_id, order.period_date), grown[pk]


def _longest_paths(below: dict[int, set[int]]) -> dict[int, int]:
    levels = dict.fromkeys(below, 0)
    waiting = dict.fromkeys(below, 0)
    for children in below.values():
        for child in children:
            waiting[child] += 1
    ready = deque(pk for pk, parents in waiting.items() if not parents)
    while ready:
        parent = ready.popleft()
        for child in below[parent]:
            levels[child] = max(levels[child], levels[parent] + 1)
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    return levels
