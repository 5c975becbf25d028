"""What the floor sees: dispatch lists and a work order with all that hangs on it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import DecimalField, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from masterdata import selectors as masterdata
from mes.enums import OperationState, WorkOrderState
from mes.models import (
    OperationUnit,
    WorkOrder,
    WorkOrderMaterial,
    WorkOrderOperation,
    WorkOrderPeg,
)
from mes.selectors.checks import checks_and_answers
from mes.selectors.tree import supply_tree

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class DispatchRow:
    """One line of a dispatch list."""

    operation: WorkOrderOperation
    # What came out of the operation before (or is to be started) and is not reported yet.
    open_quantity: Decimal
    planned_starts_at: datetime | None
    is_startable: bool


def dispatch_list(
    *, work_unit_id: int | None = None, work_center_id: int | None = None, limit: int = 200
) -> list[DispatchRow]:
    """Open operations of a work unit or a work center: what runs, then as planned.

    A work unit sees what is planned or running on it, and what its center has that is not planned
    yet. Two queries.
    """
    rows = WorkOrderOperation.objects.filter(
        state__in=OperationState.open(), work_order__state__in=WorkOrderState.open()
    )
    if work_center_id is not None:
        rows = rows.filter(work_center_id=work_center_id)
    if work_unit_id is not None:
        # Asked for each row, not joined: rows joined would have to be made distinct again, whole.
        can = OperationUnit.objects.filter(operation=OuterRef("pk"))
        near = WorkOrderOperation.objects.filter(pk=OuterRef("pk"), work_center__units=work_unit_id)
        unplanned = Q(planned_work_unit__isnull=True, work_unit__isnull=True) & (
            Exists(can.filter(work_unit=work_unit_id)) | (~Exists(can) & Exists(near))
        )
        # Where it runs counts before where it was planned.
        here = Q(work_unit=work_unit_id) | Q(work_unit__isnull=True, planned_work_unit=work_unit_id)
        rows = rows.filter(here | unplanned)
    operations = list(
        rows.select_related(
            "work_order__item", "work_center", "planned_work_unit", "work_unit", "skill", "tool"
        )
        .annotate(came_in=_came_in())
        .order_by(
            F("started_at").asc(nulls_last=True),
            F("planned_starts_at").asc(nulls_last=True),
            "-work_order__priority",
            "work_order__due_at",
            "work_order_id",
            "sequence",
        )[:limit]
    )
    return [
        DispatchRow(
            operation=operation,
            open_quantity=operation.came_in - operation.good - operation.scrap,
            planned_starts_at=operation.planned_starts_at,
            is_startable=operation.state == OperationState.READY,
        )
        for operation in operations
    ]


def _came_in() -> Coalesce:
    previous = (
        WorkOrderOperation.objects.filter(
            work_order=OuterRef("work_order"), sequence__lt=OuterRef("sequence")
        )
        .order_by("-sequence")
        .values("good")[:1]
    )
    return Coalesce(Subquery(previous), F("work_order__quantity"), output_field=DecimalField())


def running_on(work_unit_id: int) -> WorkOrderOperation | None:
    """The operation that occupies the work unit now."""
    return (
        WorkOrderOperation.objects.filter(
            work_unit_id=work_unit_id,
            state__in=[OperationState.SETUP, OperationState.RUNNING],
        )
        .select_related("work_order__item")
        .first()
    )


def holding_tool(tool_id: int) -> list[WorkOrderOperation]:
    """The operations that have one of the tool in use now, with work order and work unit."""
    return list(
        WorkOrderOperation.objects.filter(
            tool_id=tool_id, state__in=[OperationState.SETUP, OperationState.RUNNING]
        )
        .select_related("work_order", "work_unit")
        .order_by("pk")
    )


def operations_to_make(requirement_ids: Collection[int]) -> list[WorkOrderOperation]:
    """Operations still to be done for the requirements, of components before what they go into."""
    tree = supply_tree(requirement_ids)
    # The tree was walked from the top down.
    depth = {pk: -place for place, pk in enumerate(tree.orders)}
    operations = WorkOrderOperation.objects.filter(
        work_order__in=list(depth), state__in=OperationState.open()
    ).select_related("work_order__item")
    return sorted(operations, key=lambda o: (depth[o.work_order_id], o.sequence))


def free_unit(operation: WorkOrderOperation) -> int | None:
    """Id of a work unit that may do the operation and is idle now, its planned one first."""
    eligible = eligible_units(operation)
    busy = set(
        WorkOrderOperation.objects.filter(
            work_unit__in=list(eligible),
            state__in=[OperationState.SETUP, OperationState.RUNNING],
        ).values_list("work_unit_id", flat=True)
    )
    planned = operation.planned_work_unit_id
    return min(eligible - busy, key=lambda pk: (pk != planned, pk), default=None)


def eligible_units(operation: WorkOrderOperation) -> set[int]:
    """Ids of the active work units that may do the operation."""
    frozen = set(
        OperationUnit.objects.filter(operation=operation).values_list("work_unit_id", flat=True)
    )
    units = masterdata.active_units()
    if frozen:
        return frozen & {unit.id for unit in units}
    return set(masterdata.units_by_center(units).get(operation.work_center_id, ()))


def work_order_detail(number: str) -> WorkOrder:
    """A work order with item, operations, materials and pegs, in few queries.

    Raise WorkOrder.DoesNotExist for an unknown number.
    """
    operations = WorkOrderOperation.objects.select_related(
        "work_center", "planned_work_unit", "work_unit", "subcontractor", "skill", "tool"
    ).prefetch_related(
        Prefetch("units", queryset=OperationUnit.objects.select_related("work_unit")),
        checks_and_answers(),
    )
    return (
        WorkOrder.objects.select_related("item", "site")
        .prefetch_related(
            Prefetch("operations", queryset=operations.order_by("sequence")),
            Prefetch(
                "materials",
                queryset=WorkOrderMaterial.objects.select_related("item", "requirement").order_by(
                    "position"
                ),
            ),
            Prefetch(
                "pegs",
                queryset=WorkOrderPeg.objects.select_related("requirement__item").order_by(
                    "requirement__due_at", "pk"
                ),
            ),
        )
        .get(number=number)
    )


def uncovered_requirements(*, site_id: int) -> QuerySet[WorkOrderMaterial]:
    """Materials that are made here and that neither stock nor work orders cover, first due first.

    Each row has ``missing``. Empty when all is well; it fills where re-planning scrap failed.
    """
    promised = (
        WorkOrderPeg.objects.filter(requirement=OuterRef("requirement"))
        .order_by()
        .values("requirement")
        .annotate(total=Sum(F("quantity") - F("delivered")))
        .values("total")
    )
    held = Sum("requirement__reservations__quantity")
    return (
        WorkOrderMaterial.objects.filter(
            work_order__site_id=site_id,
            work_order__state__in=WorkOrderState.open(),
            work_order__started_at__isnull=True,
            item__supply="make",
        )
        .annotate(held=Coalesce(held, ZERO, output_field=DecimalField()))
        .annotate(promised=Coalesce(Subquery(promised), ZERO, output_field=DecimalField()))
        .annotate(
            missing=F("requirement__quantity")
            - F("requirement__issued")
            - F("held")
            - F("promised")
        )
        .filter(missing__gt=0)
        .select_related("item", "work_order", "requirement")
        .order_by("requirement__due_at", "pk")
    )
