"""What a user should know, shown in the bell in the reader's own language."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.enums import Level, Role
from common.models import Notification, User

# Kind to sentence; the parameters are kept with the notification and filled in when it is read.
MESSAGES: dict[str, str | Promise] = {
    "common.job_dead": _("The background job %(job)s failed for good: %(error)s"),
    "crm.order_submitted": _("Order %(order)s of %(customer)s waits for approval."),
    "crm.rush_asked": _("Order %(order)s of %(customer)s asks for a rush."),
    "crm.order_rejected": _("Order %(order)s was sent back: %(reason)s"),
    "crm.line_not_converted": _("Order %(order)s, line %(line)s made no work order: %(reason)s"),
    "crm.promise_at_risk": _(
        "Order %(order)s, line %(line)s: estimated %(projected)s, promised %(promised)s."
    ),
    "crm.rush_to_decide": _(
        "Rush %(rush)s for order %(order)s, line %(line)s, by %(day)s waits for your decision."
    ),
    "crm.rush_kept": _(
        "Order %(order)s, line %(line)s is promised for %(day)s: the plan keeps the day without "
        "rush %(rush)s."
    ),
    "crm.rush_assessed": _("Rush %(rush)s for order %(order)s, line %(line)s is assessed."),
    "crm.rush_applied": _(
        "Rush: order %(order)s, line %(line)s is promised for %(day)s; its work goes first."
    ),
    "crm.rush_approved": _(
        "Rush %(rush)s for order %(order)s, line %(line)s is approved for %(day)s."
    ),
    "crm.rush_rejected": _(
        "Rush %(rush)s for order %(order)s, line %(line)s was rejected: %(reason)s"
    ),
    "crm.notices_to_send": _("Delay notices that wait to be sent: %(count)s."),
    "crm.delivery_moved": _("Order %(order)s: the delivery moves from %(old)s to %(new)s."),
    "crm.delivery_earlier": _(
        "Order %(order)s: the delivery comes earlier, on %(new)s instead of %(old)s."
    ),
    "crm.ticket_opened": _("New ticket %(ticket)s: %(title)s"),
    "crm.ticket_message": _("The customer wrote about ticket %(ticket)s: %(title)s"),
    "crm.ticket_answered": _("There is news about your ticket %(ticket)s: %(title)s"),
    "crm.ticket_overdue": _("Ticket %(ticket)s is overdue: %(title)s"),
    "crm.ticket_cluster": _("%(count)s complaints about %(item)s have something in common."),
    "mes.andon_machine_down": _("Machine down: %(unit)s. %(note)s"),
    "mes.andon_material": _("Material missing at %(unit)s. %(note)s"),
    "mes.andon_quality": _("Quality problem at %(unit)s. %(note)s"),
    "mes.andon_help": _("Help needed at %(unit)s. %(note)s"),
    "mes.andon_unanswered": _("Nobody has answered for %(minutes)s min: %(unit)s, %(incident)s."),
    "mes.estimate_overdue": _("%(unit)s still stands though it was expected back: %(incident)s."),
    "mes.check_out_of_limits": _("%(operation)s: %(check)s is out of limits with %(value)s."),
    "mes.check_failed": _("%(operation)s: %(check)s has failed."),
    "mes.machine_runs": _("%(unit)s says that it runs again: %(incident)s."),
    "mes.nonconformance_opened": _("Nonconformance %(number)s: %(problem)s"),
    "mes.action_given": _("%(number)s gives you an action: %(action)s"),
    "mes.action_due_soon": _("%(number)s: your action “%(action)s” is due on %(day)s."),
    "mes.supplier_mail_failed": _("Request %(number)s could not be mailed to %(to)s: %(error)s"),
    "mes.maintenance_overdue": _("%(number)s takes longer than planned: %(unit)s stays closed."),
    "mes.maintenance_given": _("%(number)s is yours: maintenance of %(unit)s"),
    "mes.supplier_asked": _("Request %(number)s is to be sent to %(supplier)s."),
    "mes.quality_overdue": _("Overdue in %(number)s: %(what)s"),
    "aps.lock_dropped": _("The lock on %(operation)s was dropped: %(reason)s."),
    "traceability.audit_found": _(
        "The genealogy ledger is not what was written: %(count)s findings. The first: %(first)s"
    ),
    "aps.run_failed": _("The schedule of %(site)s could not be made: %(reason)s"),
}


def notify(
    *,
    kind: str,
    parameters: Mapping[str, str | int],
    now: datetime,
    users: Iterable[User] = (),
    roles: Iterable[Role] = (),
    level: Level = Level.INFO,
    url: str = "",
) -> list[Notification]:
    """Tell the users, and every active user with one of the roles, each once.

    Raises KeyError for a kind that is not in MESSAGES and for a missing parameter.
    """
    str(MESSAGES[kind]) % dict(parameters)
    reached = User.objects.filter(
        Q(pk__in=[user.pk for user in users]) | Q(roles__overlap=list(roles)), is_active=True
    )
    return Notification.objects.bulk_create(
        Notification(
            user=user,
            kind=kind,
            parameters=dict(parameters),
            level=level,
            url=url,
            created_at=now,
        )
        for user in reached.order_by("pk")
    )


def text(notification: Notification) -> str:
    """The sentence in the active language; a kind that is gone shows its name."""
    sentence = MESSAGES.get(notification.kind)
    return str(sentence) % notification.parameters if sentence else notification.kind


def mark_read(*, user: User, now: datetime, notification_id: int | None = None) -> int:
    """Mark one of the user's notifications as read, or all; return how many were unread."""
    unread = Notification.objects.filter(user=user, read_at__isnull=True)
    if notification_id is not None:
        unread = unread.filter(pk=notification_id)
    return unread.update(read_at=now)
