"""Small plants to plan in, with hand-countable calendars, and shorthands for runs."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from aps.enums import RunKind
from aps.models import ScheduledOperation, ScheduleRun
from aps.services import live, promises, runs, scenarios
from aps.services.promises import LineRequest
from common.enums import JobState
from common.jobs.runner import run_one
from common.models import Job
from masterdata.models import WorkCenter, WorkUnit
from masterdata.services import calendars
from mes.models import WorkOrderOperation
from tests.masterdata.factories import (
    RoutingFactory,
    RoutingOperationFactory,
    SiteFactory,
    WorkCenterFactory,
    WorkUnitFactory,
    office_hours,
)
from tests.mes.factories import Plant

# A Monday, 08:00, when the office-hours calendar begins its day.
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


class Factory(Plant):
    """One center "LATHE" with one unit, Monday to Friday 08:00 to 17:00 UTC, shipping likewise."""

    center: WorkCenter
    units: list[WorkUnit]

    def __init__(self, units: int = 1) -> None:
        calendar = office_hours()
        super().__init__(site=SiteFactory(calendar=calendar, shipping_calendar=calendar))
        WorkUnit.objects.all().delete()
        self.center = WorkCenterFactory(site=self.site, code="LATHE")
        self.units = [
            WorkUnitFactory(work_center=self.center, code=f"LATHE-{n + 1}") for n in range(units)
        ]
        live.forget()

    def steps(self, item, *minutes, setup=0, **kwargs):
        """Give the item a routing on the one center, minutes per piece."""
        routing = RoutingFactory(item=item)
        for number, run in enumerate(minutes, start=1):
            RoutingOperationFactory(
                routing=routing,
                sequence=number * 10,
                work_center=self.center,
                run_minutes=Decimal(run),
                setup_minutes=Decimal(setup),
                **kwargs,
            )
        return item

    def part(self, code="PART", minutes=1, components=None, **kwargs):
        """A made item with one step of so many minutes a piece."""
        return self.steps(self.make(code, components, steps=0, **kwargs), minutes)

    def order(self, item, quantity, *, due_at=MONDAY + 4 * DAY, weight=1, now=MONDAY):
        """An order line of the item, converted into work orders; its requirement."""
        need = self.need(item.code, quantity, due_at=due_at, weight=weight)
        result = self.plan(need, now=now)
        assert not result.failures, result.failures
        return need

    def replan(self, now=MONDAY):
        """Make the plan anew over the ledger, as a worker would; the newest run."""
        with transaction.atomic():
            runs.enqueue_replan(site_id=self.site.pk, by=None, now=now)
        assert run_one(self.waiting_job(now).pk, now=now)
        return ScheduleRun.objects.filter(site=self.site).latest("pk")

    def waiting_job(self, now=MONDAY):
        """The queued job that plans the site, its debounce over."""
        job = Job.objects.get(name="aps.replan_site", state=JobState.QUEUED)
        Job.objects.filter(pk=job.pk).update(run_at=now)
        return job

    def check(self, *lines, now=MONDAY, customer=None):
        """The answers for lines (item, quantity, requested day)."""
        return promises.check(
            site_id=self.site.pk,
            customer_id=customer.pk if customer else None,
            lines=[LineRequest(item.pk, Decimal(quantity), day) for item, quantity, day in lines],
            now=now,
        )

    def scenario(self, *changes, kind=RunKind.WHAT_IF, by=None, now=MONDAY, name="Try"):
        """A scenario with these changes, solved as a worker would."""
        run = scenarios.create(
            site_id=self.site.pk, kind=kind, name=name, changes=changes, by=by, now=now
        )
        return self.solve(run, now=now)

    def solve(self, run, now=MONDAY):
        """Run the scenario's job; the run as it is then."""
        job = Job.objects.get(
            name="aps.solve_scenario", state=JobState.QUEUED, arguments__run_id=run.pk
        )
        Job.objects.filter(pk=job.pk).update(run_at=now)
        assert run_one(job.pk, now=now)
        job.refresh_from_db()
        assert job.state == JobState.DONE, job.last_error
        run.refresh_from_db()
        return run

    def operations(self):
        return WorkOrderOperation.objects.filter(work_order__site=self.site).order_by("pk")


def scheduled(run):
    """(start, end) of a run's operations as hours after MONDAY 08:00, by operation."""
    rows = ScheduledOperation.objects.filter(run=run).order_by("operation")
    return {
        row.operation_id: ((row.starts_at - MONDAY) / HOUR, (row.ends_at - MONDAY) / HOUR)
        for row in rows
    }


def minute(moment: datetime) -> int:
    return calendars.to_minutes(moment)
