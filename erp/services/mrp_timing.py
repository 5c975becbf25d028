"""When requirements are planned by themselves: after changes that have gone quiet, and nightly."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from common.models import User
from erp import selectors
from erp.enums import MrpCause, MrpRunState
from erp.models import MrpRun
from erp.services import mrp_runs
from masterdata import selectors as masterdata


def after_changes(*, site_id: int, by: User | None, now: datetime) -> None:
    """Ask for a run of the site for when its changes will have been quiet.

    Looked at every few seconds while there are changes, so a thousand facts are a few looks and
    one run, which each look moves on.
    """
    if selectors.supply_rule(site_id).plans_itself:
        due = due_at(site_id=site_id, now=now)
        mrp_runs.request(
            site_id=site_id,
            by=None,
            now=now,
            cause=MrpCause.CHANGES,
            run_at=due if due > now else None,
        )


def due_at(*, site_id: int, now: datetime) -> datetime:
    """When the changes since the last run are to be planned: quiet, or waited for long enough.

    And a pause after the last run, so that a busy floor does not plan all day.
    """
    last = MrpRun.objects.filter(site=site_id, started_at__isnull=False).order_by("-pk").first()
    began = last.started_at if last is not None else None
    due = now
    news = selectors.supply_news(site_id=site_id, since=began or now - timedelta(days=1))
    if news:
        quiet = max(one.last_at for one in news) + _seconds(settings.MRP_QUIET_SECONDS)
        longest = min(one.first_at for one in news) + _seconds(settings.MRP_LONGEST_WAIT_SECONDS)
        due = min(quiet, longest)
    if began is not None:
        due = max(due, began + _seconds(settings.MRP_PAUSE_SECONDS))
    return due


def by_night(*, now: datetime) -> int:
    """Ask for the night's run of each site that has had none since its night began; how many."""
    asked = 0
    for site_id, zone in masterdata.time_zones().items():
        here = now.astimezone(ZoneInfo(zone))
        night = here.replace(hour=settings.MRP_NIGHTLY_HOUR, minute=0, second=0, microsecond=0)
        if here < night or not selectors.supply_rule(site_id).plans_itself:
            continue
        runs = MrpRun.objects.filter(site=site_id, requested_at__gte=night)
        if runs.filter(cause=MrpCause.NIGHT).exclude(state=MrpRunState.FAILED).exists():
            continue
        mrp_runs.request(site_id=site_id, by=None, now=now, cause=MrpCause.NIGHT)
        asked += 1
    return asked


def _seconds(value: float) -> timedelta:
    return timedelta(seconds=value)
