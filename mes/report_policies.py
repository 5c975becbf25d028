"""What may be reported on the floor, finished and taken back, and who may work on it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from common.errors import Refused
from common.models import User
from common.permissions import allowed
from erp import selectors as erp
from masterdata.enums import CheckKind
from mes import selectors
from mes.enums import OperationState, WorkOrderState
from mes.models import (
    CheckResult,
    OperationReport,
    WorkOrder,
    WorkOrderCheck,
    WorkOrderOperation,
)
from mes.policies import came_in, check_order_is_open, plain, previous

if TYPE_CHECKING:
    from traceability.models import Lot, SerialUnit

    Identity = Lot | SerialUnit

ZERO = Decimal(0)
# Units that are counted, not measured.
WHOLE = frozenset({"EA"})
# How long an operator may take the own last report back; the terminal counts down five, the rest
# is for the way there and back.
UNDO_SECONDS = 5
_UNDO_GRACE_SECONDS = 3


class CannotReport(Refused):
    """The pieces cannot be reported."""


class CannotFinish(Refused):
    """The operation cannot be finished."""


class CannotCheck(Refused):
    """The check cannot be answered so."""


class CannotDecide(Refused):
    """There is nothing to decide, or no reason given."""


class CannotScan(Refused):
    """What was scanned does not belong here; ``todo`` says what to do."""

    def __init__(self, sentence: str, todo: str = "", *, is_known: bool = True) -> None:
        super().__init__(sentence)
        self.todo = todo
        # Whether a lot or a piece carries this number.
        self.is_known = is_known


class CannotUndo(Refused):
    """The report cannot be taken back."""


class CannotJoin(Refused):
    """The person cannot work on the operation, or does already."""


class CannotLeave(Refused):
    """The person does not work on the operation."""


def check_can_report(
    operation: WorkOrderOperation,
    good: Decimal,
    scrap: Decimal,
    rework: Decimal = ZERO,
    *,
    from_rework: bool = False,
) -> None:
    """Raise CannotReport: not running, nothing, negative, parts of pieces, or too many."""
    if operation.state not in (OperationState.RUNNING, OperationState.SETUP):
        raise CannotReport(
            _("Operation %(sequence)s of %(number)s is not running; start it first.")
            % _name(operation)
        )
    check_order_is_open(operation, CannotReport)
    if good < 0 or scrap < 0 or rework < 0:
        raise CannotReport(_("A quantity cannot be below zero."))
    if good + scrap + rework == 0:
        raise CannotReport(_("Report at least one good or scrapped piece."))
    if operation.work_order.item.uom in WHOLE and (good % 1 or scrap % 1 or rework % 1):
        raise CannotReport(_("Report whole pieces."))
    if from_rework:
        _check_from_rework(operation, good + scrap, rework)
        return
    came, reported = came_in(operation), operation.good + operation.scrap + operation.rework
    if reported + good + scrap + rework > came:
        raise CannotReport(
            _(
                "Operation %(sequence)s of %(number)s got %(came)s and has reported "
                "%(reported)s; %(more)s more are too many."
            )
            % {
                **_name(operation),
                "came": plain(came),
                "reported": plain(reported),
                "more": plain(good + scrap + rework),
            }
        )


def check_nothing_held(order: WorkOrder, error: type[Refused]) -> None:
    """Raise the error where a lot or unit that the order has used is on hold, with the reason."""
    held = erp.held_in(reference=order.number, site_id=order.site_id)
    if held:
        told = "; ".join(f"{part.number} ({part.reason})" for part in held[:3])
        raise error(
            _("%(number)s has used what is on hold: %(held)s. Quality has to release it first.")
            % {"number": order.number, "held": told}
        )


def _check_from_rework(operation: WorkOrderOperation, back: Decimal, rework: Decimal) -> None:
    if rework:
        raise CannotReport(_("Pieces that come back from rework are good or scrap."))
    if back > operation.rework:
        raise CannotReport(
            _("%(back)s cannot come back: %(aside)s are set aside for rework.")
            % {"back": plain(back), "aside": plain(operation.rework)}
        )


def check_can_finish(operation: WorkOrderOperation, *, short_close: bool, reason: str) -> None:
    """Raise CannotFinish: not started, or pieces that nobody has accounted for."""
    if operation.state not in (OperationState.RUNNING, OperationState.INTERRUPTED):
        raise CannotFinish(
            _("Operation %(sequence)s of %(number)s is not running.") % _name(operation)
        )
    check_order_is_open(operation, CannotFinish)
    before = previous(operation)
    if before is not None and before.state != OperationState.DONE:
        raise CannotFinish(
            _(
                "Operation %(before)s of %(number)s is not done: more pieces come to operation "
                "%(sequence)s."
            )
            % {**_name(operation), "before": before.sequence}
        )
    left = came_in(operation) - operation.good - operation.scrap
    if left <= 0:
        check_checks(operation)
        return
    if not short_close and operation.rework == left:
        raise CannotFinish(
            _("%(left)s wait for rework: report what became of them, or close short with a reason.")
            % {"left": plain(left)}
        )
    if not short_close:
        raise CannotFinish(
            _(
                "%(left)s of %(came)s are not accounted for: report them, "
                "or close short with a reason."
            )
            % {"left": plain(left), "came": plain(came_in(operation))}
        )
    if not reason.strip():
        raise CannotFinish(_("Say why %(left)s are missing.") % {"left": plain(left)})
    check_checks(operation)


def check_checks(operation: WorkOrderOperation) -> None:
    """Raise CannotFinish naming each required check that is missing or out of its limits."""
    told = []
    for row in selectors.check_standings(operation):
        if not row.is_open:
            continue
        facts = {"name": row.check.label, "done": row.satisfied, "needed": row.needed}
        if row.open_faults:
            shown = ", ".join(
                plain(fault.value) if fault.value is not None else _("failed")
                for fault in row.open_faults
            )
            told.append(
                _("%(name)s is out of limits (%(shown)s): measure again or let it be decided")
                % {**facts, "shown": shown}
            )
        else:
            told.append(_("%(name)s: %(done)s of %(needed)s done") % facts)
    if told:
        raise CannotFinish(_("Checks are open. %(told)s.") % {"told": "; ".join(told)})


def check_can_scan(operation: WorkOrderOperation) -> None:
    """Raise CannotScan unless the operation is set up or runs."""
    if operation.state not in (OperationState.SETUP, OperationState.RUNNING):
        raise CannotScan(
            _("Operation %(sequence)s of %(number)s is not running.") % _name(operation),
            _("Start the job, then scan its parts."),
        )


def check_is_needed(line: selectors.ScanLine) -> None:
    """Raise CannotScan where the component is complete."""
    if line.missing <= 0:
        raise CannotScan(
            _("All %(quantity)s of %(item)s are in already.")
            % {"quantity": plain(line.quantity), "item": line.item.code},
            _("Put it back where it was."),
        )


def not_needed(
    code: str, things: "Sequence[Identity]", lines: Sequence[selectors.ScanLine]
) -> CannotScan:
    """The refusal of a code that no component of the job asks for."""
    wanted = ", ".join(line.item.code for line in lines if line.missing > 0)
    todo = (
        _("This job needs %(items)s. Fetch a lot or piece of that.") % {"items": wanted}
        if wanted
        else _("This job needs no part that is scanned.")
    )
    if not things:
        return CannotScan(
            _("%(code)s is not known here.") % {"code": code[:60]}, todo, is_known=False
        )
    return CannotScan(
        _("%(number)s is %(item)s, which does not go into this job.")
        % {"number": things[0].number, "item": things[0].item.code},
        todo,
    )


def check_scanned(operation: WorkOrderOperation) -> None:
    """Raise CannotFinish naming each component of which the pieces made used more than scanned."""
    order = operation.work_order
    through = (order.good + order.scrapped) / order.quantity
    short = [
        _("%(item)s: %(issued)s of %(needed)s scanned")
        % {
            "item": line.item.code,
            "issued": plain(line.issued),
            "needed": plain(line.quantity * through),
        }
        for line in selectors.scan_lines(order)
        if line.issued < (line.quantity * through).quantize(Decimal("0.0001"))
    ]
    if short:
        raise CannotFinish(_("Parts are missing. %(short)s.") % {"short": "; ".join(short)})


def check_can_record(
    check: WorkOrderCheck,
    operation: WorkOrderOperation,
    value: Decimal | None,
    is_good: bool | None,
    replaces: CheckResult | None,
) -> None:
    """Raise CannotCheck: not at work, no answer of its kind, or another one's replacement."""
    if operation.state not in OperationState.started():
        raise CannotCheck(
            _("Operation %(sequence)s of %(number)s is not running.") % _name(operation)
        )
    if check.kind == CheckKind.PASS and (is_good is None or value is not None):
        raise CannotCheck(_("Say whether %(name)s passes or fails.") % {"name": check.label})
    if check.kind != CheckKind.PASS and (value is None or not value.is_finite()):
        raise CannotCheck(_("Type the value of %(name)s.") % {"name": check.label})
    if replaces is not None and (
        replaces.check_row_id != check.pk
        or replaces.is_good
        or replaces.decision
        or CheckResult.objects.filter(replaces=replaces).exists()
    ):
        raise CannotCheck(_("This answer of %(name)s stands already.") % {"name": check.label})


def check_can_decide(result: CheckResult, reason: str) -> None:
    """Raise CannotDecide: within limits, decided, measured again, or no reason."""
    is_over = result.is_good or result.decision
    if is_over or CheckResult.objects.filter(replaces=result).exists():
        raise CannotDecide(_("There is nothing to decide any more."))
    if not reason.strip():
        raise CannotDecide(_("Say why."))


def check_can_join(operation: WorkOrderOperation, person: User) -> None:
    """Raise CannotJoin unless it is set up or runs and the person is not at it."""
    if operation.state not in (OperationState.SETUP, OperationState.RUNNING):
        raise CannotJoin(
            _("Operation %(sequence)s of %(number)s is not running.") % _name(operation)
        )
    if selectors.is_at(operation, person):
        raise CannotJoin(_("%(person)s works on it already.") % {"person": person})


def check_can_leave(operation: WorkOrderOperation, person: User) -> None:
    """Raise CannotLeave for who does not work on it."""
    if not selectors.is_at(operation, person):
        raise CannotLeave(_("%(person)s does not work on it.") % {"person": person})


def check_can_undo(
    report: OperationReport, operation: WorkOrderOperation, by: User | None, now: datetime
) -> None:
    """Raise CannotUndo: not the last one, too late without the right, or the pieces are gone."""
    last = (
        OperationReport.objects.filter(
            operation=operation, reverses__isnull=True, reversed_by__isnull=True
        )
        .order_by("-pk")
        .first()
    )
    if last is None or last.pk != report.pk:
        raise CannotUndo(_("Only the last report of an operation can be taken back."))
    is_own = by is not None and report.by_id == by.pk
    # Whoever reports and finishes notices it at the end.
    said = max(report.at, operation.finished_at or report.at)
    in_time = now - said <= timedelta(seconds=UNDO_SECONDS + _UNDO_GRACE_SECONDS)
    if not (is_own and in_time) and not allowed(by, "mes.undo_report"):
        raise CannotUndo(_("Only a supervisor can take this report back now."))
    if operation.work_order.state == WorkOrderState.CLOSED:
        raise CannotUndo(
            _("The costs of %(number)s are closed; correct its stock by a count.")
            % {"number": operation.work_order.number}
        )
    if operation.work_order.state != WorkOrderState.COMPLETED:
        check_order_is_open(operation, CannotUndo)
    after = WorkOrderOperation.objects.filter(
        work_order=operation.work_order_id, sequence__gt=operation.sequence
    ).exclude(state=OperationState.CANCELLED)
    following = after.order_by("sequence").first()
    if following is None:
        return
    if operation.state == OperationState.DONE and following.started_at is not None:
        raise CannotUndo(
            _("Operation %(sequence)s of %(number)s has begun with these pieces.")
            % _name(following, operation.work_order)
        )
    taken = following.good + following.scrap + following.rework
    if taken > operation.good - report.good:
        raise CannotUndo(
            _("Operation %(sequence)s of %(number)s has reported %(taken)s of these pieces.")
            % {**_name(following, operation.work_order), "taken": plain(taken)}
        )


def _name(operation: WorkOrderOperation, order: WorkOrder | None = None) -> dict[str, object]:
    return {"sequence": operation.sequence, "number": (order or operation.work_order).number}
