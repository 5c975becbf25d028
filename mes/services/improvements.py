"""What an action changes: a check of the routing, an instruction, a machine's hours, the FMEA.

What has changed is noted with the action; work orders planned from then on carry it, and who
stands at the machine reads why.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.models import User
from masterdata.enums import CheckFrequency, CheckKind
from masterdata.services import checks
from masterdata.services.checks import Check
from mes import problem_policies as policies
from mes.enums import MaintenanceKind
from mes.models import FmeaRow, MaintenanceOrder, QualityAction
from mes.problem_policies import CannotAct
from mes.services import maintenance, quality_actions

if TYPE_CHECKING:
    from masterdata.models import RoutingOperation

__all__ = ["CannotAct", "Rating", "add_check", "instruct", "maintain", "rate"]


@dataclass(frozen=True, slots=True)
class Rating:
    """How a step may fail, from 1 to 10 each: how bad, how often, how hidden."""

    failure_mode: str
    severity: int
    occurrence: int
    detection: int
    effect: str = ""
    cause: str = ""
    control: str = ""
    operation: int | None = None


def add_check(
    *,
    action: QualityAction,
    operation: "RoutingOperation",
    check: Check,
    by: User,
    now: datetime,
) -> str:
    """Ask for a check at an operation from now on, or give one (by position) other limits.

    Return where it is now. Raise CannotAct, and InvalidCheck for a check that cannot be answered.
    """
    with transaction.atomic():
        held = quality_actions.locked(action)
        policies.check_can_change(held)
        reason = check.reason or f"{held.nonconformance.number}: {held.nonconformance.problem}"
        row = checks.put(
            operation=operation, check=replace(check, reason=reason[:200]), by=by, now=now
        )
        where = f"{_place(operation)}: {row.name}"
        _note(held, where, by, now)
    return where


def instruct(
    *,
    action: QualityAction,
    operation: "RoutingOperation",
    text: str,
    text_zh: str = "",
    by: User,
    now: datetime,
) -> str:
    """Tell who works there what to do: read and confirmed once per work order.

    Raise CannotAct without words.
    """
    if not text.strip():
        raise CannotAct(_("Say what is to be done."))
    told = Check(
        position=0,
        name=text.strip()[:200],
        name_zh=text_zh.strip()[:200],
        kind=CheckKind.PASS,
        is_required=True,
        frequency=CheckFrequency.PER_ORDER,
    )
    return add_check(action=action, operation=operation, check=told, by=by, now=now)


def maintain(
    *,
    action: QualityAction,
    work_unit_id: int,
    starts_at: datetime,
    ends_at: datetime,
    by: User,
    now: datetime,
) -> MaintenanceOrder:
    """Order a machine's maintenance: the schedule plans around it from now on.

    The action is done when the order is. Raise CannotAct, CannotMaintain, and the refusal of a
    span that is over.
    """
    with transaction.atomic():
        held = quality_actions.locked(action)
        policies.check_can_change(held)
        found = held.nonconformance
        new = maintenance.NewOrder(
            work_unit_id=work_unit_id,
            kind=MaintenanceKind.IMPROVEMENT,
            title=held.title,
            task=f"{found.number}: {found.problem}",
            starts_at=starts_at,
            ends_at=ends_at,
        )
        order = maintenance.create(new=new, action=held, by=by, now=now)
        _note(held, f"{order.number} {order.work_unit.code}", by, now)
    return order


def rate(
    *,
    action: QualityAction,
    rating: Rating,
    row: FmeaRow | None = None,
    by: User,
    now: datetime,
) -> FmeaRow:
    """Write a line of the FMEA, or rate one anew; raise CannotAct for ratings beyond 1 to 10."""
    with transaction.atomic():
        held = quality_actions.locked(action)
        policies.check_can_change(held)
        ratings = (rating.severity, rating.occurrence, rating.detection)
        policies.check_rating(rating.failure_mode, *ratings)
        found = held.nonconformance
        line = row or FmeaRow(item_id=found.item_id)
        line.failure_mode = rating.failure_mode.strip()[:200]
        line.effect, line.cause = rating.effect.strip()[:200], rating.cause.strip()[:300]
        line.control, line.operation = rating.control.strip()[:200], rating.operation
        line.severity, line.occurrence = rating.severity, rating.occurrence
        line.detection, line.symptom = rating.detection, found.symptom
        line.nonconformance, line.updated_at = found, now
        line.save()
        _note(held, f"FMEA {found.item.code}: {line.failure_mode} ({line.risk})", by, now)
    return line


def _place(operation: "RoutingOperation") -> str:
    routing = operation.routing
    return f"{routing.item.code} {routing.revision} / {operation.sequence}"


def _note(action: QualityAction, what: str, by: User, now: datetime) -> None:
    quality_actions.note_change(action, what)
    audit.record(
        action="mes.quality_action.change",
        target=action.nonconformance,
        by=by,
        now=now,
        reason=f"{action.title}: {what}",
    )
