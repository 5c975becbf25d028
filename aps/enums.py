"""States of schedule runs and of promise answers."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RunState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SOLVING = "solving", _("Solving")
    SOLVED = "solved", _("Solved")
    PUBLISHED = "published", _("Published")
    SUPERSEDED = "superseded", _("Superseded")
    FAILED = "failed", _("Failed")
    REJECTED = "rejected", _("Rejected")
    STALE = "stale", _("Stale")


_R = RunState
RUN_TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    _R.QUEUED: frozenset({_R.SOLVING, _R.STALE, _R.REJECTED, _R.FAILED}),
    # A run whose worker was killed starts solving again.
    _R.SOLVING: frozenset({_R.SOLVING, _R.SOLVED, _R.FAILED, _R.STALE, _R.REJECTED}),
    _R.SOLVED: frozenset({_R.PUBLISHED, _R.REJECTED, _R.STALE}),
    _R.PUBLISHED: frozenset({_R.SUPERSEDED}),
    _R.SUPERSEDED: frozenset(),
    _R.FAILED: frozenset(),
    _R.REJECTED: frozenset(),
    _R.STALE: frozenset(),
}


class PromiseStatus(models.TextChoices):
    FEASIBLE = "feasible", _("Feasible")
    AT_RISK = "at_risk", _("At risk")
    INFEASIBLE = "infeasible", _("Cannot be kept")
