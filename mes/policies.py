"""What may be done on the floor; each refusal is a sentence somebody can act on."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from common.errors import Refused
from common.models import User
from common.permissions import allowed
from common.templatetags import ui_format
from erp import selectors as erp
from masterdata import selectors as masterdata
from mes import selectors
from mes.enums import (
    OPERATION_TRANSITIONS,
    WORK_ORDER_TRANSITIONS,
    OperationState,
    WorkOrderState,
)
from mes.models import WorkOrder, WorkOrderMaterial, WorkOrderOperation
from mes.tool_policies import check_tool


class CannotRelease(Refused):
    """The work order cannot be released."""


class CannotClose(Refused):
    """The work order cannot be closed."""


class CannotHold(Refused):
    """The work order cannot be held."""


class CannotResume(Refused):
    """The work order or operation cannot go on."""


class CannotCancel(Refused):
    """The work order cannot be cancelled."""


class CannotChange(Refused):
    """The work order keeps its day or its quantity."""


class CannotStart(Refused):
    """The operation cannot start."""


class WaitedTooLong(CannotStart):
    """Only the longest wait is in the way: who may overrule it can still let it start."""


class CannotInterrupt(Refused):
    """The operation cannot be interrupted."""


def plain(quantity: Decimal) -> str:
    """A quantity as people write it: 5, not 5.0000."""
    return f"{quantity.normalize():f}"


# -- work orders ------------------------------------------------------------------------------


def check_can_release(order: WorkOrder) -> None:
    """Raise CannotRelease unless the work order is planned."""
    _check_order(order, WorkOrderState.RELEASED, CannotRelease)


def check_can_close(order: WorkOrder) -> None:
    """Raise CannotClose unless the work order is completed."""
    _check_order(order, WorkOrderState.CLOSED, CannotClose)


def check_can_hold(order: WorkOrder, reason: str | None = None) -> None:
    """Raise CannotHold for an empty reason, or for a work order that is over or held.

    No reason at all asks before one is typed.
    """
    if reason is not None and not reason.strip():
        raise CannotHold(_("Say why %(number)s is put on hold.") % {"number": order.number})
    _check_order(order, WorkOrderState.ON_HOLD, CannotHold)


def check_can_resume_order(order: WorkOrder) -> None:
    """Raise CannotResume unless the work order is on hold."""
    if order.state != WorkOrderState.ON_HOLD:
        raise CannotResume(_("%(number)s is not on hold.") % {"number": order.number})


def check_can_cancel(order: WorkOrder, reason: str) -> None:
    """Raise CannotCancel without a reason, when started, or while somebody counts on it."""
    if not reason.strip():
        raise CannotCancel(_("Say why %(number)s is cancelled.") % {"number": order.number})
    if order.started_at is not None:
        raise CannotCancel(
            _("%(number)s has started: close its operations short instead.")
            % {"number": order.number}
        )
    _check_order(order, WorkOrderState.CANCELLED, CannotCancel)
    peg = order.pegs.select_related("requirement").order_by("pk").first()
    if peg is not None:
        raise CannotCancel(
            _("%(number)s is made for %(reference)s; reduce or cancel that instead.")
            % {"number": order.number, "reference": peg.requirement.reference}
        )


def check_can_change_order(order: WorkOrder) -> None:
    """Raise CannotChange for a work order that is over."""
    if order.state not in WorkOrderState.open():
        raise CannotChange(
            _("%(number)s is %(state)s, so this cannot be done.")
            % {"number": order.number, "state": WorkOrderState(order.state).label}
        )


def check_can_shrink(order: WorkOrder, output: Decimal, pegged: Decimal) -> None:
    """Raise CannotChange once it has started, or for less than others count on."""
    check_can_change_order(order)
    if order.started_at is not None:
        raise CannotChange(
            _("%(number)s has started: close its operations short instead.")
            % {"number": order.number}
        )
    if output < pegged or output <= 0:
        raise CannotChange(
            _("%(number)s: others count on %(pegged)s, so %(output)s is too few.")
            % {
                "number": order.number,
                "pegged": f"{pegged.normalize():f}",
                "output": f"{output.normalize():f}",
            }
        )


def _check_order(order: WorkOrder, new: WorkOrderState, error: type[Refused]) -> None:
    old = WorkOrderState(order.state)
    if new not in WORK_ORDER_TRANSITIONS[old]:
        raise error(
            _("%(number)s is %(state)s, so this cannot be done.")
            % {"number": order.number, "state": old.label}
        )


# -- operations -------------------------------------------------------------------------------


def check_can_start(
    operation: WorkOrderOperation,
    work_unit_id: int | None,
    now: datetime | None = None,
    *,
    if_free: bool = False,
) -> None:
    """Raise CannotStart: state, hold, sequence, wait, work unit, material, last WaitedTooLong.

    Without ``now`` no wait after the operation before is looked at; ``if_free`` asks as though
    nothing ran on the work unit.
    """
    name = _name(operation)
    state = OperationState(operation.state)
    if state not in (OperationState.WAITING, OperationState.READY):
        raise CannotStart(_("%(name)s is already %(state)s.") % {**name, "state": state.label})
    check_order_goes_on(operation, CannotStart)
    check_sequence(operation, now)
    check_unit(operation, work_unit_id, CannotStart, if_free=if_free)
    if operation.work_order.started_at is None:
        check_material(operation.work_order)
    if now is not None:
        check_longest_wait(operation, now)


def check_can_overrule_wait(reason: str, by: User | None) -> None:
    """Raise CannotStart unless it is a supervisor who says why."""
    if not allowed(by, "mes.overrule_wait"):
        raise CannotStart(_("Only a supervisor can let work start after its longest wait."))
    if not reason.strip():
        raise CannotStart(_("Say why it may start after its longest wait."))


def check_longest_wait(operation: WorkOrderOperation, now: datetime) -> None:
    """Raise WaitedTooLong where it had to start by now, after the operation before it."""
    before = previous(operation)
    if before is None or before.max_wait_minutes is None or before.finished_at is None:
        return
    until = before.finished_at + timedelta(minutes=before.max_wait_minutes)
    # The plan counts whole minutes, and an end that is under way as a minute.
    if now <= until + timedelta(minutes=1):
        return
    raise WaitedTooLong(
        _(
            "Operation %(sequence)s of %(number)s had to start by %(moment)s: the pieces may wait "
            "%(time)s at most after operation %(before)s. A supervisor can let it start all the "
            "same."
        )
        % {
            **_name(operation),
            "before": before.sequence,
            "moment": ui_format.moment(until),
            "time": ui_format.minutes(before.max_wait_minutes),
        }
    )


def check_order_goes_on(operation: WorkOrderOperation, error: type[Refused]) -> None:
    """Raise ``error`` where the work order is on hold or over: nothing starts or goes on."""
    if operation.work_order.state == WorkOrderState.ON_HOLD:
        raise error(_("%(number)s is on hold.") % {"number": operation.work_order.number})
    check_order_is_open(operation, error)


def check_order_is_open(operation: WorkOrderOperation, error: type[Refused]) -> None:
    """Raise ``error`` where the work order is over; what ran when it was held may be finished."""
    state = WorkOrderState(operation.work_order.state)
    if state not in WorkOrderState.open():
        raise error(
            _("%(number)s is %(state)s.")
            % {"number": operation.work_order.number, "state": state.label}
        )


def check_sequence(operation: WorkOrderOperation, now: datetime | None = None) -> None:
    """Raise CannotStart where too little has come of the operation before, or it still rests."""
    before = previous(operation)
    if before is None:
        return
    facts = {**_name(operation), "before": before.sequence}
    if before.state == OperationState.DONE and before.good <= 0:
        raise CannotStart(
            _("Operation %(before)s of %(number)s left no good piece.")
            % {**_name(operation), "before": before.sequence}
        )
    if not has_passed(before):
        facts |= {"made": plain(before.good + before.scrap), "of": plain(came_in(before))}
        if before.transfer_quantity is None:
            raise CannotStart(
                _(
                    "Operation %(sequence)s of %(number)s cannot start: "
                    "%(before)s is at %(made)s of %(of)s."
                )
                % facts
            )
        facts |= {"good": plain(before.good), "transfer": plain(before.transfer_quantity)}
        raise CannotStart(
            _(
                "Operation %(sequence)s of %(number)s cannot start: %(before)s passes on from "
                "%(transfer)s good pieces and has %(good)s."
            )
            % facts
        )
    if now is not None:
        _check_rest(operation, before, now)


def _check_rest(operation: WorkOrderOperation, before: WorkOrderOperation, now: datetime) -> None:
    until = rests_until(before)
    if until is None or until <= now:
        return
    raise CannotStart(
        _(
            "Operation %(sequence)s of %(number)s cannot start before %(moment)s: the pieces "
            "wait %(minutes)s minutes after operation %(before)s."
        )
        % {
            **_name(operation),
            "before": before.sequence,
            "moment": ui_format.moment(until),
            "minutes": before.wait_minutes,
        }
    )


def has_passed(before: WorkOrderOperation) -> bool:
    """Whether the next operation has something to work on: all, or the first transfer batch."""
    if before.state == OperationState.DONE:
        return True
    return before.transfer_quantity is not None and before.good >= before.transfer_quantity


def rests_until(before: WorkOrderOperation) -> datetime | None:
    """When the wait after what has passed is over; None where there is no wait."""
    if not before.wait_minutes or not has_passed(before):
        return None
    passed = before.finished_at
    if before.transfer_quantity is not None:
        total = Decimal(0)
        for report in before.reports.order_by("at", "pk"):
            total += report.good
            if total >= before.transfer_quantity:
                passed = report.at
                break
    return passed + timedelta(minutes=before.wait_minutes) if passed is not None else None


def check_unit(
    operation: WorkOrderOperation,
    work_unit_id: int | None,
    error: type[Refused],
    *,
    if_free: bool = False,
) -> None:
    """Raise ``error`` where unit or tool is not to be had; ``if_free``: were the unit not busy."""
    if work_unit_id is None:
        if operation.subcontractor_id is None:
            raise error(_("Choose the work unit that it runs on."))
        return
    units = {unit.id: unit.code for unit in masterdata.active_units()}
    eligible = selectors.eligible_units(operation)
    if work_unit_id not in eligible:
        raise error(
            _("%(unit)s cannot do operation %(sequence)s of %(number)s; %(others)s can.")
            % {
                **_name(operation),
                "unit": units.get(work_unit_id, work_unit_id),
                "others": ", ".join(sorted(units[pk] for pk in eligible)) or "–",
            }
        )
    incident = selectors.standing_because_of(work_unit_id)
    if incident:
        raise error(
            _("%(unit)s is down (%(incident)s): say first that it runs again.")
            % {"unit": units[work_unit_id], "incident": incident}
        )
    other = None if if_free else selectors.running_on(work_unit_id)
    if other is not None and other.pk != operation.pk:
        raise error(busy_sentence(units[work_unit_id], other))
    check_tool(operation, error, but_at=work_unit_id if if_free else None)


def busy_sentence(unit: str, other: WorkOrderOperation) -> str:
    """What a work unit that is taken says."""
    facts = {**_name(other), "unit": unit}
    return _("%(unit)s is busy with operation %(sequence)s of %(number)s.") % facts


def check_material(order: WorkOrder) -> None:
    """Raise CannotStart naming each component that is not completely reserved.

    What may be taken below zero (screws in a box) is reserved for nobody and waited for by nobody.
    """
    lines = WorkOrderMaterial.objects.filter(
        work_order=order, item__may_be_negative=False
    ).select_related("item")
    items = {line.requirement_id: line.item for line in lines.order_by("position")}
    short = [
        _("%(item)s: %(missing)s %(uom)s short")
        % {
            "item": items[row.requirement_id].code,
            "missing": plain(row.missing),
            "uom": items[row.requirement_id].uom,
        }
        for row in erp.coverage(list(items))
        if row.missing > 0
    ]
    if short:
        raise CannotStart(
            _("%(number)s lacks material. %(short)s.")
            % {"number": order.number, "short": "; ".join(short)}
        )


def check_can_run(operation: WorkOrderOperation) -> None:
    """Raise CannotStart unless it is being set up."""
    if operation.state != OperationState.SETUP:
        raise CannotStart(
            _("Operation %(sequence)s of %(number)s is not being set up.") % _name(operation)
        )
    check_order_is_open(operation, CannotStart)


def check_can_interrupt(operation: WorkOrderOperation) -> None:
    """Raise CannotInterrupt unless it runs."""
    if OperationState.INTERRUPTED not in OPERATION_TRANSITIONS[OperationState(operation.state)]:
        raise CannotInterrupt(
            _("Operation %(sequence)s of %(number)s is not running.") % _name(operation)
        )


def check_can_resume(
    operation: WorkOrderOperation, work_unit_id: int | None, *, if_free: bool = False
) -> None:
    """Raise CannotResume unless it was interrupted and the work unit is free."""
    if operation.state != OperationState.INTERRUPTED:
        raise CannotResume(
            _("Operation %(sequence)s of %(number)s is not interrupted.") % _name(operation)
        )
    check_order_goes_on(operation, CannotResume)
    check_unit(operation, work_unit_id, CannotResume, if_free=if_free)


def previous(operation: WorkOrderOperation) -> WorkOrderOperation | None:
    """The operation before it in the same work order."""
    return (
        WorkOrderOperation.objects.filter(
            work_order=operation.work_order_id, sequence__lt=operation.sequence
        )
        .order_by("-sequence")
        .first()
    )


def came_in(operation: WorkOrderOperation) -> Decimal:
    """Pieces that came so far: good ones of the operation before, or all of the work order."""
    before = previous(operation)
    return operation.work_order.quantity if before is None else before.good


def _name(operation: WorkOrderOperation) -> dict[str, object]:
    return {
        "sequence": operation.sequence,
        "number": operation.work_order.number,
        "name": _("Operation %(sequence)s of %(number)s")
        % {"sequence": operation.sequence, "number": operation.work_order.number},
    }
