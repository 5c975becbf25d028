"""People join an operation and leave it; several at one, one at several."""

from datetime import datetime

from django.db import transaction

from common import audit
from common.models import User
from mes import report_policies, selectors
from mes.models import WorkOrderOperation
from mes.report_policies import CannotJoin, CannotLeave
from mes.services import acts, time

__all__ = ["CannotJoin", "CannotLeave", "go_home", "join", "leave"]


def join(*, operation: WorkOrderOperation, by: User, now: datetime) -> None:
    """Work on it too, from now on; raise CannotJoin."""
    with transaction.atomic():
        operation = acts.locked(operation)
        report_policies.check_can_join(operation, by)
        time.join(operation, person=by, now=now)
        audit.record(action="mes.operation.join", target=operation, by=by, now=now)


def leave(*, operation: WorkOrderOperation, by: User, now: datetime) -> None:
    """Work on it no longer, the machine goes on; raise CannotLeave."""
    with transaction.atomic():
        operation = acts.locked(operation)
        report_policies.check_can_leave(operation, by)
        time.leave(operation, person=by, now=now)
        audit.record(action="mes.operation.leave", target=operation, by=by, now=now)


def go_home(*, by: User, now: datetime) -> int:
    """Leave whatever the person works on; return how many operations that were."""
    with transaction.atomic():
        operations = selectors.worked_on(by)
        for operation in operations:
            leave(operation=operation, by=by, now=now)
    return len(operations)
