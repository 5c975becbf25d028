"""Why a customer's day moved, in words that a customer may read: mails and portal use them."""

from collections.abc import Iterable

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrPromise

from crm.enums import ProjectionCause
from crm.models import DelayNotice, Projection

# An unknown cause is simply a new plan.
_CAUSES: dict[str, StrPromise] = {
    ProjectionCause.CONVERSION: gettext_lazy("Your order was placed in our production plan"),
    ProjectionCause.REPORT: gettext_lazy("Progress in production"),
    ProjectionCause.MATERIAL: gettext_lazy("Material came, or comes, on another day"),
    ProjectionCause.CAPACITY: gettext_lazy("Our machines or working hours changed"),
    ProjectionCause.ORDERS: gettext_lazy("Orders in our production plan changed"),
    ProjectionCause.RUSH: gettext_lazy("Our planners revised the plan"),
    ProjectionCause.MANUAL: gettext_lazy("Our planners revised the plan"),
}


def of_notice(notice: DelayNotice) -> str:
    """Why the day of the notice is another one, in the active language."""
    chinese = (translation.get_language() or "").startswith("zh")
    said = notice.reason_zh if chinese and notice.reason_zh else notice.reason
    return said or _("We had to change our production plan.")


def of_projection(entry: Projection, sent: Iterable[DelayNotice]) -> str:
    """Why the estimate moved: what a notice told of the same move, else what its plan's cause is.

    ``sent`` are the notices of its line that the customer was sent.
    """
    move = (entry.schedule_version, entry.new_date)
    for notice in sent:
        if notice.is_later and (notice.schedule_version, notice.new_date) == move:
            return of_notice(notice)
    return str(_CAUSES.get(entry.cause, _("A new production plan")))
