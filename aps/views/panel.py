"""The side panel: one operation, and all operations of its order across machines."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from aps import selectors
from aps.models import ScheduledOperation, ScheduleRun
from aps.views import overview, why
from aps.views.place import site_id as chosen_site
from common.access import requires
from common.permissions import allowed
from erp import selectors as erp
from masterdata import selectors as masterdata
from mes import selectors as mes

# A lot for very many orders shows the first operations; the list shows all.
MOST_SHOWN = 100
MOST_EXPLAINED = 3


@requires("aps.view_schedule")
@require_safe
def board_panel(request: HttpRequest) -> HttpResponse:
    """``?order=SO-100001&operation=7`` → a fragment; ``order`` may be a work order."""
    number = request.GET.get("order", "").replace("\x00", "")[:60]
    site_id = chosen_site()
    run = selectors.current_run(site_id) if site_id is not None else None
    context: dict[str, Any] = {
        "number": number,
        "rows": [],
        # Beside a scenario the board is for looking.
        "can_plan": allowed(request.user, "aps.plan") and not request.GET.get("scenario"),
        "can_try": allowed(request.user, "aps.plan"),
    }
    if run is not None and number:
        rows = list(_operations(run, number)[: MOST_SHOWN + 1])
        now = timezone.now()
        chosen = _chosen(rows, request.GET.get("operation", ""))
        late = overview.late_lines(site_id=run.site_id, order=number, now=now)
        context |= {
            "rows": rows[:MOST_SHOWN],
            "more": len(rows) > MOST_SHOWN,
            "chosen": chosen,
            "changeover": _changeover(run, chosen),
            "late": why.bound(run.site_id, late[:MOST_EXPLAINED], now) + late[MOST_EXPLAINED:],
            "why": why.explained(run.site_id, [row.line for row in late[:MOST_EXPLAINED]], now),
            "served": _served(run, request.GET.get("operation", ""), number),
        }
    return render(request, "aps/board_panel.html", context)


def _operations(run: ScheduleRun, number: str) -> QuerySet[ScheduledOperation]:
    """The operations of the order's whole tree, or of a work order, by start."""
    planned = ScheduledOperation.objects.filter(run=run)
    tops = planned.filter(
        operation__work_order__pegs__requirement__reference__startswith=f"{number}/"
    ).values_list("operation__work_order__pegs__requirement_id", flat=True)
    serving = mes.work_orders_serving(set(tops))
    return (
        planned.filter(
            Q(operation__work_order__in=[order.pk for order in serving])
            | Q(operation__work_order__number=number)
        )
        .select_related(
            "operation__work_order__item", "operation__skill", "operation__tool", "work_unit"
        )
        .order_by("starts_at", "ends_at", "operation_id")
    )


def _chosen(rows: list[ScheduledOperation], text: str) -> ScheduledOperation | None:
    wanted = int(text) if text.isdecimal() else 0
    return next((row for row in rows if row.operation_id == wanted), None)


def _changeover(run: ScheduleRun, chosen: ScheduledOperation | None) -> int:
    """Minutes that its machine takes right before it."""
    if chosen is None:
        return 0
    units = masterdata.active_units(site_id=run.site_id)
    found = selectors.changeover_minutes(
        run=run,
        units=[unit for unit in units if unit.id == chosen.work_unit_id],
        starts_at=chosen.starts_at,
        ends_at=chosen.ends_at,
    )
    return found.get(chosen.operation_id, 0)


def _served(run: ScheduleRun, text: str, number: str) -> list[str]:
    """The other orders that the operation works for."""
    if not text.isdecimal() or len(text) > 18:
        return []
    row = (
        ScheduledOperation.objects.filter(run=run, operation=int(text))
        .values_list("operation__work_order_id", flat=True)
        .first()
    )
    if row is None:
        return []
    coverage = erp.coverage(mes.requirements_served(row))
    orders = dict.fromkeys(overview.order_of(line.reference) for line in coverage)
    return [order for order in orders if order != number]
