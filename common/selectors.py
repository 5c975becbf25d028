"""Reads that more than one app needs."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet
from django.utils.functional import Promise

from common.enums import Role
from common.models import AuditEntry, Notification, User

# The audit trail's row that the demo factory begins with.
DEMO_MARK = "crm.demo.load"
DEMO_PASSWORD = "millstream-demo"  # noqa: S105 - shown on the login page, in demo mode only
# The second customer proves that customers do not see each other.
_DEMO_USERNAMES = [*Role.values, "customer-b"]


@dataclass(frozen=True)
class DemoAccount:
    """A login that the demo factory made."""

    username: str
    password: str
    role: str | Promise
    language: str


def holds_demo() -> bool:
    """Whether this database holds the demo factory."""
    return AuditEntry.objects.filter(action=DEMO_MARK).exists()


def is_demo() -> bool:
    """Whether demo mode is on and the data is the demo factory's."""
    return bool(settings.DEMO_MODE) and holds_demo()


def is_demo_over_real_data() -> bool:
    """Whether demo mode, with its published secrets, runs over somebody's data."""
    return bool(settings.DEMO_MODE) and User.objects.exists() and not holds_demo()


def demo_accounts() -> list[DemoAccount]:
    """The accounts of the demo factory in the order of their roles; none where all is real."""
    if not is_demo():
        return []
    users = User.objects.filter(username__in=_DEMO_USERNAMES, is_active=True).in_bulk(
        field_name="username"
    )
    return [
        DemoAccount(name, DEMO_PASSWORD, Role(users[name].roles[0]).label, users[name].language)
        for name in _DEMO_USERNAMES
        if name in users and users[name].roles
    ]


def notifications(*, user: User) -> QuerySet[Notification]:
    """What the user was told, newest first."""
    return Notification.objects.filter(user=user).order_by("-created_at", "-id")


def unread_count(*, user: User) -> int:
    """How many notifications the user has not read."""
    return Notification.objects.filter(user=user, read_at__isnull=True).count()


def audit_entries() -> QuerySet[AuditEntry]:
    """The whole audit trail, newest first."""
    return AuditEntry.objects.order_by("-at", "-id")
