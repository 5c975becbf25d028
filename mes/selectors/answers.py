"""A work order as the API answers with it after every act at a machine: those columns alone."""

from django.db.models import Prefetch

from mes.models import WorkOrder, WorkOrderMaterial, WorkOrderOperation, WorkOrderPeg
from mes.selectors.checks import checks_and_answers

_OPERATION = (
    *("work_order", "sequence", "name", "name_zh", "state", "good", "scrap", "rework"),
    *("planned_starts_at", "planned_ends_at", "started_at", "finished_at", "setup_family"),
    *("people", "wait_minutes", "max_wait_minutes", "transfer_quantity"),
    *("work_center__code", "planned_work_unit__code", "work_unit__code"),
    *("skill__code", "tool__code"),
)


def work_order_answer(number: str) -> WorkOrder:
    """The work order with operations, checks, materials and pegs; five queries, one more where
    there are checks. Raise WorkOrder.DoesNotExist for an unknown number."""
    operations = (
        WorkOrderOperation.objects.select_related(
            "work_center", "planned_work_unit", "work_unit", "skill", "tool"
        )
        .only(*_OPERATION)
        .prefetch_related(checks_and_answers())
        .order_by("sequence")
    )
    materials = (
        WorkOrderMaterial.objects.select_related("item", "requirement")
        .only("work_order", "item__code", "requirement__quantity", "requirement__issued")
        .order_by("position")
    )
    pegs = (
        WorkOrderPeg.objects.select_related("requirement")
        .only("work_order", "quantity", "requirement__reference")
        .order_by("requirement__due_at", "pk")
    )
    return (
        WorkOrder.objects.select_related("item")
        .only("number", "state", "quantity", "good", "scrapped", "due_at", "item__code")
        .prefetch_related(
            Prefetch("operations", queryset=operations),
            Prefetch("materials", queryset=materials),
            Prefetch("pegs", queryset=pegs),
        )
        .get(number=number)
    )
