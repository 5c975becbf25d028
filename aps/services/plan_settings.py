"""How the plan of a site is made anew by itself: what stays, and what counts as a move."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from aps.models import PlanState
from common import audit
from common.errors import Refused
from common.models import User

# A plan that is frozen for longer than a month is not made anew any more.
MOST_FROZEN_MINUTES = 31 * 24 * 60
MOST_TOLERANCE_MINUTES = 24 * 60


class CannotChange(Refused):
    """The minutes are out of range."""


def change(
    *, site_id: int, frozen_minutes: int, tolerance_minutes: int, by: User, now: datetime
) -> PlanState:
    """Set how many minutes from now are frozen, and how far a start may shift without a move.

    Both count from the next plan on. Raise CannotChange.
    """
    if not 0 <= frozen_minutes <= MOST_FROZEN_MINUTES:
        raise CannotChange(
            _("The frozen time lies between 0 and %(days)s days.")
            % {"days": MOST_FROZEN_MINUTES // (24 * 60)}
        )
    if not 0 <= tolerance_minutes <= MOST_TOLERANCE_MINUTES:
        raise CannotChange(
            _("The tolerance lies between 0 and %(hours)s hours.")
            % {"hours": MOST_TOLERANCE_MINUTES // 60}
        )
    with transaction.atomic():
        PlanState.objects.get_or_create(site_id=site_id)
        state = PlanState.objects.select_for_update(no_key=True).get(site_id=site_id)
        old = {"frozen": state.frozen_minutes, "tolerance": state.tolerance_minutes}
        state.frozen_minutes = frozen_minutes
        state.tolerance_minutes = tolerance_minutes
        state.save(update_fields=["frozen_minutes", "tolerance_minutes"])
        audit.record(
            action="aps.plan.settings",
            target=state,
            by=by,
            now=now,
            changes=audit.difference(
                old, {"frozen": frozen_minutes, "tolerance": tolerance_minutes}
            ),
        )
    return state
