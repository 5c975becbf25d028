"""Answers to checks: typed by people or sent by machines, judged against their limits."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from common import audit
from common.models import User
from masterdata.enums import CheckKind
from mes import report_policies, selectors
from mes.enums import Decision
from mes.models import CheckResult, WorkOrderCheck, WorkOrderOperation
from mes.report_policies import CannotCheck, CannotDecide
from mes.services import acts, genealogy

__all__ = ["CannotCheck", "CannotDecide", "answer_well", "decide", "receive", "record"]


def record(
    *,
    check: WorkOrderCheck,
    value: Decimal | None = None,
    is_good: bool | None = None,
    replaces: CheckResult | None = None,
    is_from_machine: bool = False,
    by: User | None,
    now: datetime,
) -> CheckResult:
    """Answer a check: a value, or pass or fail; raise CannotCheck.

    A value is good within its limits, both included. ``replaces``: measured again.
    """
    with transaction.atomic():
        operation = acts.locked(
            WorkOrderOperation.objects.select_related("work_order").get(pk=check.operation_id)
        )
        report_policies.check_can_record(check, operation, value, is_good, replaces)
        result = CheckResult.objects.create(
            check_row=check,
            value=value,
            is_good=_is_within(check, value) if value is not None else bool(is_good),
            replaces=replaces,
            is_from_machine=is_from_machine,
            at=now,
            by=by,
        )
        genealogy.note_answer(operation, result, by=by)
        said = str(value) if value is not None else str(result.is_good)
        changes = {check.name: [None, said]}
        audit.record(action="mes.check.record", target=operation, by=by, now=now, changes=changes)
    return result


def answer_well(*, operation: WorkOrderOperation, by: User | None, now: datetime) -> int:
    """Answer what is due as it should be, passed or at its target; return how many answers.

    For the demo factory and simulations: people and machines answer one by one.
    """
    answered = 0
    operation.refresh_from_db(fields=["good"])
    for standing in selectors.check_standings(operation):
        check = standing.check
        known = (check.target, check.lower, check.upper)
        value = next((limit for limit in known if limit is not None), None)
        for _time in range(standing.missing):
            is_good = True if value is None else None
            record(check=check, value=value, is_good=is_good, by=by, now=now)
            answered += 1
    return answered


def receive(
    *, operation: WorkOrderOperation, code: str, value: Decimal, now: datetime
) -> CheckResult | None:
    """A machine says the value of a parameter; None where nobody asked for it."""
    check = operation.checks.filter(code=code).exclude(kind=CheckKind.PASS).first()
    if check is None or not code:
        return None
    return record(check=check, value=value, is_from_machine=True, by=None, now=now)


def decide(
    *, result: CheckResult, decision: Decision, reason: str, by: User, now: datetime
) -> CheckResult:
    """Accept a value outside its limits, or reject it, with a reason; raise CannotDecide."""
    with transaction.atomic():
        found = (
            CheckResult.objects.select_for_update(no_key=True, of=("self",))
            .select_related("check_row__operation__work_order")
            .get(pk=result.pk)
        )
        report_policies.check_can_decide(found, reason)
        found.decision, found.decision_reason = decision, reason[:200]
        found.decided_by, found.decided_at = by, now
        found.save(update_fields=["decision", "decision_reason", "decided_by", "decided_at"])
        audit.record(
            action="mes.check.decide",
            target=found.check_row.operation,
            by=by,
            now=now,
            reason=reason,
            changes={found.check_row.name: [str(found), str(decision)]},
        )
    return found


def _is_within(check: WorkOrderCheck, value: Decimal) -> bool:
    above = check.lower is None or value >= check.lower
    return above and (check.upper is None or value <= check.upper)
