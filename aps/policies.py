"""Who may do what with a scenario in which state: check_can_<verb>() raises with the reason."""

from django.utils.translation import gettext as _

from aps.enums import RunKind, RunState
from aps.models import ScheduleRun
from common.errors import Refused
from common.models import User


class CannotChange(Refused):
    """The scenario is over, is being solved, or belongs to another planner."""


class CannotPublish(Refused):
    """The scenario is not solved, holds what only a what-if can, or its base is out of date."""


class CannotReject(Refused):
    """The scenario is over."""


class CannotRebase(Refused):
    """The scenario is over, or is being solved."""


def _facts(run: ScheduleRun) -> dict[str, object]:
    return {"scenario": title(run), "state": RunState(run.state).label}


def title(run: ScheduleRun) -> str:
    """What to call a scenario in a sentence."""
    return run.name or f"{RunKind(run.kind).label} {run.pk}"


def check_can_change(run: ScheduleRun, by: User | None) -> None:
    """Raise CannotChange; a draft is its planner's own."""
    if run.kind == RunKind.LIVE or run.state not in RunState.open():
        raise CannotChange(
            _("%(scenario)s is %(state)s and cannot be changed any more.") % _facts(run)
        )
    if run.state in (RunState.QUEUED, RunState.SOLVING):
        raise CannotChange(_("%(scenario)s is being solved; wait until it is done.") % _facts(run))
    check_is_own(run, by)


def check_is_own(run: ScheduleRun, by: User | None) -> None:
    """Raise CannotChange for a draft of another planner, who may be in the midst of it."""
    if run.kind == RunKind.EDIT and run.requested_by_id != (by.pk if by else None):
        raise CannotChange(_("This draft belongs to another planner."))


def check_can_publish(run: ScheduleRun, *, is_decided: bool = False) -> None:
    """Raise CannotPublish by state and kind; the base is checked by ``scenarios.publish``."""
    if run.kind == RunKind.RUSH and not is_decided:
        raise CannotPublish(
            _("%(scenario)s is published by approving its rush request.") % _facts(run)
        )
    if run.kind == RunKind.LIVE or run.state not in (RunState.SOLVED, RunState.STALE):
        raise CannotPublish(
            _("%(scenario)s is %(state)s; only a solved scenario can be published.") % _facts(run)
        )


def check_can_reject(run: ScheduleRun) -> None:
    """Raise CannotReject."""
    if run.kind == RunKind.LIVE or run.state not in RunState.open():
        raise CannotReject(_("%(scenario)s is %(state)s already.") % _facts(run))


def check_can_rebase(run: ScheduleRun) -> None:
    """Raise CannotRebase."""
    if run.kind == RunKind.LIVE or run.state not in RunState.open():
        raise CannotRebase(
            _("%(scenario)s is %(state)s and cannot be brought up to date.") % _facts(run)
        )
    if run.state in (RunState.QUEUED, RunState.SOLVING):
        raise CannotRebase(_("%(scenario)s is being solved; wait until it is done.") % _facts(run))
