"""The job ledger: a row in PostgreSQL is the truth, a Celery message only a wake-up.

See docs/adr/0001-job-ledger.md. Apps use what is exported here and nothing else::

    @register("crm.convert_order", kind=JobKind.DATABASE)
    def convert_order(*, order_id: int, by: User | None, now: datetime) -> None: ...

    enqueue("crm.convert_order", key=f"convert:{order.pk}:1", now=now, by=by, order_id=order.pk)
"""

from common.jobs.claims import Claim, LostClaim
from common.jobs.ledger import NotInTransaction, Request, enqueue, enqueue_many, reschedule
from common.jobs.registry import QUEUES, JobKind, UnknownJob, register
from common.jobs.runner import run_due

__all__ = [
    "QUEUES",
    "Claim",
    "JobKind",
    "LostClaim",
    "NotInTransaction",
    "Request",
    "UnknownJob",
    "enqueue",
    "enqueue_many",
    "register",
    "reschedule",
    "run_due",
]
