"""How up to date requirements planning is: its last run, and what has changed since."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.enums import JobState
from common.models import Event, Job
from erp.enums import MrpRunState
from erp.models import MrpRun

# Facts after which requirements are planned anew (those that ask for AFTER_CHANGES in
# config/subscriptions.py), in words.
FACTS: dict[str, str | Promise] = {
    "crm.order.converted": _("Orders approved"),
    "crm.order.changed": _("Orders changed"),
    "crm.order.cancelled": _("Orders cancelled"),
    "erp.purchase_orders.changed": _("Purchase orders changed"),
    "erp.stock.received": _("Goods received, counted or adjusted"),
    "erp.stock.withheld": _("Stock held or missing"),
    "erp.transfers.changed": _("Transfers between sites changed"),
    "mes.work_orders.changed": _("Work orders changed"),
    "mes.maintenance.needs_changed": _("Parts for maintenance changed"),
    "mes.pieces.scrapped": _("Scrap beyond the allowance"),
    "mes.report.taken_back": _("Reports taken back"),
    "masterdata.planning.changed": _("Bills of material, items or prices changed"),
}
# What happened before the last run is looked back on so far where there is none.
LOOK_BACK = timedelta(days=1)
# The job that looks at what has changed.
AFTER_CHANGES = "erp.plan_after_changes"


@dataclass(frozen=True, slots=True)
class News:
    """Facts of one kind."""

    topic: str
    count: int
    first_at: datetime
    last_at: datetime

    @property
    def label(self) -> str:
        return str(FACTS[self.topic])


@dataclass(frozen=True, slots=True)
class PlanningStatus:
    """Where requirements planning of a site stands."""

    # The newest run that is over, and the one that waits or runs.
    last: MrpRun | None
    active: MrpRun | None
    news: list[News]
    # When it plans by itself; None: nothing asks for it.
    next_at: datetime | None

    @property
    def share(self) -> float:
        """How much of the active run is done, in per cent."""
        run = self.active
        return run.done_items / run.all_items * 100 if run and run.all_items else 0

    @property
    def changes(self) -> int:
        return sum(one.count for one in self.news)


def supply_news(*, site_id: int, since: datetime) -> list[News]:
    """What has changed of needs and supplies since a moment, by kind; one query."""
    rows = (
        Event.objects.filter(topic__in=list(FACTS), at__gt=since, payload__site_id=site_id)
        .order_by()
        .values_list("topic")
        .annotate(Count("pk"), Min("at"), Max("at"))
    )
    order = list(FACTS)
    return sorted((News(*row) for row in rows), key=lambda one: order.index(one.topic))


def run_key(run: MrpRun) -> str:
    """The key of a run's job."""
    return f"mrp:{run.pk}"


def planning_status(*, site_id: int, now: datetime) -> PlanningStatus:
    """Where requirements planning of a site stands; five queries at most."""
    runs = MrpRun.objects.filter(site=site_id).select_related("requested_by").order_by("-pk")
    over = [MrpRunState.DONE, MrpRunState.FAILED]
    last = runs.filter(state__in=over).first()
    began = last.started_at if last is not None else None
    waiting = {run_key(run): run for run in runs.exclude(state__in=over)}
    jobs = {job.key: job for job in Job.objects.filter(key__in=list(waiting))} if waiting else {}
    active, next_at = None, None
    for key, run in waiting.items():
        job = jobs.get(key)
        if job is None or job.state in (JobState.DEAD, JobState.CANCELLED):
            # Nobody works on it any more, whatever it says of itself.
            continue
        # What waits for changes to go quiet is no work yet.
        is_quiet = run.state == MrpRunState.QUEUED and job.state == JobState.QUEUED
        active, next_at = run, job.run_at if is_quiet and job.run_at > now else None
    return PlanningStatus(
        last=last,
        active=None if next_at else active,
        news=supply_news(site_id=site_id, since=began or now - LOOK_BACK),
        next_at=next_at,
    )
