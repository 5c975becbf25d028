"""What items are made of and how, over all levels, as plain data of one day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from common.errors import Refused
from masterdata.enums import IssueMethod, LotPolicy, RunBasis, Supply
from masterdata.models import (
    Bom,
    BomLine,
    Item,
    OperationAlternative,
    OperationCheck,
    Routing,
    RoutingOperation,
)


class StructureCycle(Refused):
    """An item contains itself; the sentence names the chain."""


@dataclass(frozen=True, slots=True)
class ComponentStructure:
    """So much of an item goes into one piece of its parent, before scrap."""

    item_id: int
    quantity_per: Decimal
    scrap_rate: Decimal
    position: int = 0
    uom: str = "EA"
    # The line's own, else the component's.
    issue_method: IssueMethod = IssueMethod.AT_START


@dataclass(frozen=True, slots=True)
class AlternativeStructure:
    """A work unit that can do an operation, with the minutes it needs there."""

    work_unit_id: int
    setup_minutes: Decimal
    run_minutes: Decimal


@dataclass(frozen=True, slots=True)
class CheckStructure:
    """What is asked at an operation before it may be finished."""

    position: int
    name: str
    name_zh: str
    code: str
    kind: str
    unit: str
    lower: Decimal | None
    target: Decimal | None
    upper: Decimal | None
    is_required: bool
    frequency: str
    every: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OperationStructure:
    """One step of the routing."""

    sequence: int
    name: str
    name_zh: str
    work_center_id: int
    setup_minutes: Decimal
    run_minutes: Decimal
    run_basis: RunBasis
    setup_family: str = ""
    interruptible: bool = True
    subcontractor_id: int | None = None
    subcontract_days: int = 0
    # So many people of the skill, and one of the tool.
    skill_id: int | None = None
    people: int = 1
    tool_id: int | None = None
    # Before the next operation: clock minutes at least and at most, pieces that let it begin.
    wait_minutes: int = 0
    max_wait_minutes: int | None = None
    transfer_quantity: Decimal | None = None
    # Active units only. Empty and not restricted: all units of the center.
    alternatives: tuple[AlternativeStructure, ...] = ()
    # The routing names the units; none of the center's others may do it.
    restricted: bool = False
    checks: tuple[CheckStructure, ...] = ()

    def minutes_for(self, quantity: Decimal) -> Decimal:
        """Run minutes of an order of that quantity, by the operation's own times."""
        if self.run_basis == RunBasis.PER_ORDER:
            return self.run_minutes
        return self.run_minutes * quantity


@dataclass(frozen=True, slots=True)
class ItemStructure:
    """An item with the BOM and the routing of one day. Bought items have neither."""

    item_id: int
    code: str
    name: str
    name_zh: str
    supply: Supply
    uom: str = "EA"
    lead_time_days: int = 0
    scrap_rate: Decimal = Decimal(0)
    lot_policy: LotPolicy = LotPolicy.LOT_FOR_LOT
    lot_size: Decimal | None = None
    lot_period_days: int | None = None
    safety_stock: Decimal = Decimal(0)
    bom_revision: str | None = None
    components: tuple[ComponentStructure, ...] = ()
    routing_revision: str | None = None
    operations: tuple[OperationStructure, ...] = ()

    @property
    def is_made(self) -> bool:
        return self.supply == Supply.MAKE

    @property
    def label(self) -> str:
        """The name in the active language, the other one where it is missing."""
        if (get_language() or "").startswith("zh") and self.name_zh:
            return self.name_zh
        return self.name


def structures(*, item_ids: Iterable[int], on: date) -> dict[int, ItemStructure]:
    """The items and everything below them, by item id, with BOM and routing valid ``on``.

    Two queries per BOM level and four at the end, however many items. Raises StructureCycle.
    """
    collected = _Collected()
    level = set(item_ids)
    while level:
        items = list(Item.objects.filter(pk__in=level))
        collected.items.update((item.pk, item) for item in items)
        made = [item.pk for item in items if item.supply == Supply.MAKE]
        below: set[int] = set()
        for bom in _boms(made, on):
            # Latest first: an earlier revision that overlaps is not the one of the day.
            if bom.item_id not in collected.boms:
                collected.boms[bom.item_id] = bom
                below.update(line.component_id for line in bom.lines.all())
        level = below - collected.items.keys()
    for routing in _routings([i for i in collected.items.values() if i.supply == Supply.MAKE], on):
        collected.routings.setdefault(routing.item_id, routing)
    found = {pk: _structure(item, collected) for pk, item in collected.items.items()}
    low_level_codes(found)
    return found


def structure_changes() -> list[date]:
    """The days on which any BOM, BOM line or routing begins or ends, ascending.

    Between two of them every structure stays the same, so that one reading serves them all.
    """
    spans = [
        model.objects.values_list("valid_from", "valid_to").distinct().order_by()
        for model in (Bom, BomLine, Routing)
    ]
    return sorted({day for rows in spans for span in rows for day in span if day is not None})


def low_level_codes(found: Mapping[int, ItemStructure]) -> dict[int, int]:
    """The deepest level of each item: 0 at the top, every component below all its parents.

    Raises StructureCycle.
    """
    levels: dict[int, int] = dict.fromkeys(found, 0)
    for pk in _parents_first(found):
        for component in found[pk].components:
            levels[component.item_id] = max(levels[component.item_id], levels[pk] + 1)
    return levels


def eligible_units(
    operation: OperationStructure, units_of_center: Sequence[int]
) -> tuple[AlternativeStructure, ...]:
    """Each work unit that may do the operation, with its minutes.

    ``units_of_center`` are the active units of its center, from ``units_by_center``.
    """
    if operation.restricted:
        return operation.alternatives
    return tuple(
        AlternativeStructure(unit, operation.setup_minutes, operation.run_minutes)
        for unit in units_of_center
    )


@dataclass(slots=True)
class _Collected:
    items: dict[int, Item] = field(default_factory=dict)
    boms: dict[int, Bom] = field(default_factory=dict)
    routings: dict[int, Routing] = field(default_factory=dict)


def _valid(on: date) -> Q:
    return Q(valid_from__lte=on) & (Q(valid_to__isnull=True) | Q(valid_to__gt=on))


def _boms(item_ids: Sequence[int], on: date) -> QuerySet[Bom]:
    begun = Q(valid_from__isnull=True) | Q(valid_from__lte=on)
    going = Q(valid_to__isnull=True) | Q(valid_to__gt=on)
    lines = BomLine.objects.filter(begun & going).order_by("position")
    return (
        Bom.objects.filter(_valid(on), item_id__in=item_ids)
        .order_by("item_id", "-valid_from", "-pk")
        .prefetch_related(Prefetch("lines", queryset=lines))
    )


def _routings(items: Sequence[Item], on: date) -> QuerySet[Routing]:
    alternatives = OperationAlternative.objects.select_related("work_unit").order_by(
        "work_unit__code"
    )
    operations = RoutingOperation.objects.order_by("sequence").prefetch_related(
        Prefetch("alternatives", queryset=alternatives),
        Prefetch("checks", queryset=OperationCheck.objects.order_by("position")),
    )
    return (
        Routing.objects.filter(_valid(on), item_id__in=[item.pk for item in items])
        .order_by("item_id", "-valid_from", "-pk")
        .prefetch_related(Prefetch("operations", queryset=operations))
    )


def _structure(item: Item, collected: _Collected) -> ItemStructure:
    bom, routing = collected.boms.get(item.pk), collected.routings.get(item.pk)
    return ItemStructure(
        item_id=item.pk,
        code=item.code,
        name=item.name,
        name_zh=item.name_zh,
        supply=Supply(item.supply),
        uom=item.uom,
        lead_time_days=item.lead_time_days,
        scrap_rate=item.scrap_rate,
        lot_policy=LotPolicy(item.lot_policy),
        lot_size=item.lot_size,
        lot_period_days=item.lot_period_days,
        safety_stock=item.safety_stock,
        bom_revision=bom.revision if bom else None,
        components=tuple(_component(x, collected) for x in bom.lines.all()) if bom else (),
        routing_revision=routing.revision if routing else None,
        operations=tuple(_operation(o) for o in routing.operations.all()) if routing else (),
    )


def _component(line: BomLine, collected: _Collected) -> ComponentStructure:
    component = collected.items[line.component_id]
    return ComponentStructure(
        item_id=line.component_id,
        quantity_per=line.quantity_per,
        scrap_rate=line.scrap_rate,
        position=line.position,
        uom=line.uom,
        issue_method=IssueMethod(line.issue_method or component.issue_method),
    )


def _operation(operation: RoutingOperation) -> OperationStructure:
    alternatives = list(operation.alternatives.all())
    return OperationStructure(
        sequence=operation.sequence,
        name=operation.name,
        name_zh=operation.name_zh,
        work_center_id=operation.work_center_id,
        setup_minutes=operation.setup_minutes,
        run_minutes=operation.run_minutes,
        run_basis=RunBasis(operation.run_basis),
        setup_family=operation.setup_family,
        interruptible=operation.is_interruptible,
        subcontractor_id=operation.subcontractor_id,
        subcontract_days=operation.subcontract_days,
        skill_id=operation.skill_id,
        people=operation.people,
        tool_id=operation.tool_id,
        wait_minutes=operation.wait_minutes,
        max_wait_minutes=operation.max_wait_minutes,
        transfer_quantity=operation.transfer_quantity,
        alternatives=tuple(
            _alternative(a, operation) for a in alternatives if a.work_unit.is_active
        ),
        restricted=bool(alternatives),
        checks=tuple(_check(row) for row in operation.checks.all()),
    )


def _check(row: OperationCheck) -> CheckStructure:
    return CheckStructure(
        **{field.name: getattr(row, field.name) for field in fields(CheckStructure)}
    )


def _alternative(a: OperationAlternative, operation: RoutingOperation) -> AlternativeStructure:
    setup, run = a.setup_minutes, a.run_minutes
    return AlternativeStructure(
        work_unit_id=a.work_unit_id,
        setup_minutes=operation.setup_minutes if setup is None else setup,
        run_minutes=operation.run_minutes if run is None else run,
    )


def _parents_first(found: Mapping[int, ItemStructure]) -> list[int]:
    """Every item before its components; raises StructureCycle naming the chain."""
    finished: list[int] = []
    done: set[int] = set()
    for root in found:
        path: dict[int, None] = {}
        stack: list[tuple[int, bool]] = [(root, False)]
        while stack:
            pk, leaving = stack.pop()
            if leaving:
                del path[pk]
                done.add(pk)
                finished.append(pk)
            elif pk in path:
                raise _cycle([*path, pk], found)
            elif pk not in done:
                path[pk] = None
                stack.append((pk, True))
                stack.extend((c.item_id, False) for c in found[pk].components)
    return finished[::-1]


def _cycle(path: list[int], found: Mapping[int, ItemStructure]) -> StructureCycle:
    chain = path[path.index(path[-1]) :]
    return StructureCycle(
        _("An item contains itself: %(chain)s.")
        % {"chain": " → ".join(found[pk].code for pk in chain)}
    )
