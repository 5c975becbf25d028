"""The side panel: one operation, and all operations of its order across machines.

A planner with a draft sees the places of the draft, as on the canvas, and what they were.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from aps import selectors
from aps.models import ScheduledOperation, ScheduleRun
from aps.selectors import beside
from aps.services import edits
from aps.views import draft_state, overview, why
from aps.views.place import site_id as chosen_site
from common.access import requires
from common.models import User
from common.permissions import allowed
from erp import selectors as erp
from masterdata import selectors as masterdata
from masterdata.services import calendars
from mes import selectors as mes
from mes.enums import OperationState

# A lot for very many orders shows the first operations; the list shows all.
MOST_SHOWN = 100
MOST_EXPLAINED = 3


class Off(enum.StrEnum):
    """Why a draft has no time for an operation of the plan in force."""

    TAKEN = "taken"  # by one of its steps
    WAITS = "waits"  # for something that is off the plan


@dataclass(frozen=True, slots=True)
class Step:
    """An operation where the reader's draft has it, else where the plan in force has it."""

    row: ScheduledOperation
    # Where the plan in force has it, where the draft moves it.
    was: ScheduledOperation | None = None
    # The draft has put it onto the plan, or has no time for it.
    is_new: bool = False
    off: Off | None = None


@requires("aps.view_schedule")
@require_safe
def board_panel(request: HttpRequest) -> HttpResponse:
    """``?order=SO-100001&operation=7`` → a fragment; ``order`` may be a work order."""
    number = request.GET.get("order", "").replace("\x00", "")[:60]
    site_id = chosen_site(request)
    run = selectors.current_run(site_id) if site_id is not None else None
    may_plan = allowed(request.user, "aps.plan")
    # Beside a scenario the board is for looking.
    can_plan = may_plan and not request.GET.get("scenario")
    context: dict[str, Any] = {
        "number": number,
        "steps": [],
        "can_plan": can_plan,
        "can_try": may_plan,
    }
    if run is not None and number:
        draft = _draft(run, request.user) if can_plan else None
        context |= _told(run, draft, number, request.GET.get("operation", ""))
    return render(request, "aps/board_panel.html", context)


@requires("aps.view_schedule")
@require_safe
def panel_why(request: HttpRequest) -> HttpResponse:
    """``?order=SO-100001`` → why its first late lines are late, as a fragment of the panel."""
    number = request.GET.get("order", "").replace("\x00", "")[:60]
    site_id, now = chosen_site(request), timezone.now()
    late = selectors.late_orders(site_id=site_id, now=now) if site_id is not None else []
    mine = [line for line in late if overview.order_of(line.reference) == number]
    said = why.explained(site_id, mine[:MOST_EXPLAINED], now) if site_id is not None else []
    may_plan = allowed(request.user, "aps.plan")
    # Beside a scenario the board is for looking.
    can_plan = may_plan and not request.GET.get("scenario")
    context = {"why": said, "can_plan": can_plan, "can_try": may_plan}
    return render(request, "aps/_panel_why.html", context)


def _draft(run: ScheduleRun, user: Any) -> ScheduleRun | None:
    return edits.draft(site_id=run.site_id, by=user) if isinstance(user, User) else None


def _told(run: ScheduleRun, draft: ScheduleRun | None, number: str, text: str) -> dict[str, Any]:
    """What the panel says of an order of the plan in force, and of the operation in ``text``."""
    steps = _steps(run, draft, number)
    now = timezone.now()
    chosen = _chosen(steps, text)
    shown = run if draft is None or (chosen is not None and chosen.off) else draft
    late = overview.late_lines(site_id=run.site_id, order=number, now=now)
    explained, rest = late[:MOST_EXPLAINED], late[MOST_EXPLAINED:]
    return {
        "steps": steps[:MOST_SHOWN],
        "more": len(steps) > MOST_SHOWN,
        "chosen": chosen,
        "changeover": _changeover(shown, chosen.row if chosen else None),
        "draft_dates": draft_state.dates(draft, order=number) if draft else [],
        # Why the first of them are late comes by ``panel_why``: that reads the plant.
        "late": [replace(row, why="") for row in explained] + rest,
        "served": _served([run] if draft is None else [run, draft], text, number),
    }


def _steps(run: ScheduleRun, draft: ScheduleRun | None, number: str) -> list[Step]:
    """The order's operations by start; what is done stands as the plan in force has it."""
    runs = [run] if draft is None else [run, draft]
    serving = _serving(runs, number)
    live = list(_operations(run, number, serving)[: MOST_SHOWN + 1])
    if draft is None:
        return [Step(row) for row in live]
    found = _operations(draft, number, serving)[: MOST_SHOWN + 1]
    theirs = {row.operation_id: row for row in found}
    taken, own = draft_state.taken_off(draft), beside.moved_by(draft)
    steps = []
    for row in live:
        pk = row.operation_id
        is_own = own is None or pk in own
        steps.append(_step(row, theirs.pop(pk, None), is_taken=pk in taken, is_own=is_own))
    # Of a lot for very many orders, what the cut of one plan left out is not new in the other.
    if len(live) <= MOST_SHOWN:
        steps += [Step(row, is_new=True) for row in theirs.values()]
    return sorted(steps, key=_by_start)


def _step(
    row: ScheduledOperation, drafted: ScheduledOperation | None, *, is_taken: bool, is_own: bool
) -> Step:
    if row.operation.state not in OperationState.open():
        return Step(row)
    if drafted is None:
        return Step(row, off=Off.TAKEN if is_taken else Off.WAITS)
    # What time has pushed on since the plan was made is none of the draft's moves.
    return Step(drafted, was=row if is_own and _place(row) != _place(drafted) else None)


def _place(row: ScheduledOperation) -> tuple[int | None, int, int]:
    return (
        row.work_unit_id,
        calendars.to_minutes(row.starts_at),
        calendars.to_minutes_up(row.ends_at),
    )


def _by_start(step: Step) -> tuple[datetime, datetime, int]:
    return step.row.starts_at, step.row.ends_at, step.row.operation_id


def _serving(runs: Sequence[ScheduleRun], number: str) -> set[int]:
    """The work orders of the order's whole tree."""
    tops = ScheduledOperation.objects.filter(
        run__in=runs,
        operation__work_order__pegs__requirement__reference__startswith=f"{number}/",
    ).values_list("operation__work_order__pegs__requirement_id", flat=True)
    return {order.pk for order in mes.work_orders_serving(set(tops))}


def _operations(run: ScheduleRun, number: str, serving: set[int]) -> QuerySet[ScheduledOperation]:
    """The operations of these work orders, and of the one of that number, by start."""
    return (
        ScheduledOperation.objects.filter(run=run)
        .filter(Q(operation__work_order__in=serving) | Q(operation__work_order__number=number))
        .select_related(
            "operation__work_order__item", "operation__skill", "operation__tool", "work_unit"
        )
        .order_by("starts_at", "ends_at", "operation_id")
    )


def _chosen(steps: Sequence[Step], text: str) -> Step | None:
    wanted = int(text) if text.isdecimal() else 0
    return next((step for step in steps if step.row.operation_id == wanted), None)


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


def _served(runs: Sequence[ScheduleRun], text: str, number: str) -> list[str]:
    """The other orders that the operation works for."""
    if not text.isdecimal() or len(text) > 18:
        return []
    row = (
        ScheduledOperation.objects.filter(run__in=runs, operation=int(text))
        .values_list("operation__work_order_id", flat=True)
        .first()
    )
    if row is None:
        return []
    coverage = erp.coverage(mes.requirements_served(row))
    orders = dict.fromkeys(overview.order_of(line.reference) for line in coverage)
    return [order for order in orders if order != number]
