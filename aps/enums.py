"""States of schedule runs and of promise answers."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RunKind(models.TextChoices):
    """What a run is for; all but the live ones are scenarios until they are published."""

    LIVE = "live", _("Plan")
    WHAT_IF = "what_if", _("What-if")
    RUSH = "rush", _("Rush")
    REPAIR = "repair", _("Repair")
    # A planner's own draft on the board; one for each.
    EDIT = "edit", _("Draft")


class RunState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SOLVING = "solving", _("Solving")
    SOLVED = "solved", _("Solved")
    PUBLISHED = "published", _("Published")
    SUPERSEDED = "superseded", _("Superseded")
    FAILED = "failed", _("Failed")
    REJECTED = "rejected", _("Rejected")
    STALE = "stale", _("Stale")

    @classmethod
    def open(cls) -> list["RunState"]:
        """A scenario that is not over: it may still be changed, published or rejected."""
        return [cls.QUEUED, cls.SOLVING, cls.SOLVED, cls.STALE, cls.FAILED]


_R = RunState
RUN_TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    _R.QUEUED: frozenset({_R.SOLVING, _R.STALE, _R.REJECTED, _R.FAILED}),
    # A run whose worker was killed starts solving again.
    _R.SOLVING: frozenset({_R.SOLVING, _R.SOLVED, _R.FAILED, _R.STALE, _R.REJECTED}),
    # A scenario whose changes or whose base changed is solved again, a draft at once.
    _R.SOLVED: frozenset({_R.PUBLISHED, _R.REJECTED, _R.STALE, _R.QUEUED, _R.SOLVING}),
    _R.PUBLISHED: frozenset({_R.SUPERSEDED}),
    _R.SUPERSEDED: frozenset(),
    _R.FAILED: frozenset({_R.QUEUED, _R.SOLVING, _R.REJECTED}),
    _R.REJECTED: frozenset(),
    _R.STALE: frozenset({_R.QUEUED, _R.SOLVING, _R.REJECTED}),
}


class PromiseStatus(models.TextChoices):
    FEASIBLE = "feasible", _("Feasible")
    AT_RISK = "at_risk", _("At risk")
    INFEASIBLE = "infeasible", _("Cannot be kept")
