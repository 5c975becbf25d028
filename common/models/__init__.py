from common.models.audit import AuditEntry
from common.models.idempotency import IdempotentAnswer
from common.models.job import Event, Heartbeat, Job, JobAttempt
from common.models.naming import BilingualName
from common.models.notification import Notification
from common.models.token import ApiToken
from common.models.user import User

__all__ = [
    "ApiToken",
    "AuditEntry",
    "BilingualName",
    "Event",
    "Heartbeat",
    "IdempotentAnswer",
    "Job",
    "JobAttempt",
    "Notification",
    "User",
]
