"""A site's plan, made anew: ask for it, solve it with no transaction open, publish it at once."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from aps.enums import RUN_TRANSITIONS, RunState
from aps.models import PlanState, ScheduleRun
from aps.services import problems, publishing, solving
from aps.solver import HorizonTooShort, InvalidProblem
from common import audit, concurrency, transitions
from common.concurrency import Lock
from common.intervals import CalendarExhausted
from common.jobs import Claim, enqueue
from common.models import User

# The cause of a run that nobody asked for by hand.
AUTOMATIC = "change"
# How far the calendars are read, in days; the next one is tried when the work does not fit.
HORIZON_DAYS = (120, 365, 1100, 2200)
# Improving a schedule that reaches to the end of the calendars may run out of them as well.
TOO_SHORT = (HorizonTooShort, CalendarExhausted)
# A failed run tells the first few violations.
TOLD_VIOLATIONS = 5


def request(*, site_id: int, cause: str, by: User | None, now: datetime) -> ScheduleRun:
    """Ask for a new plan of the site; returns the run to watch, the waiting one if there is one."""
    with transaction.atomic():
        concurrency.lock(Lock.SCHEDULE, site_id)
        run = ScheduleRun.objects.filter(site_id=site_id, state=RunState.QUEUED).first()
        if run is None:
            run = ScheduleRun.objects.create(
                site_id=site_id, cause=cause, requested_by=by, requested_at=now
            )
        audit.record(action="aps.run.request", target=run, by=by, now=now, reason=cause)
        enqueue_replan(site_id=site_id, by=by, now=now)
    return run


def enqueue_replan(*, site_id: int, by: User | None, now: datetime) -> None:
    """Ask for the job in the current transaction; equal waiting ones are one."""
    enqueue(
        "aps.replan_site",
        key=f"replan:{site_id}",
        now=now,
        by=by,
        group_key=f"plan:{site_id}",
        coalesce=True,
        site_id=site_id,
    )


def replan(*, site_id: int, by: User | None, now: datetime, claim: Claim) -> ScheduleRun:
    """Build the site's problem, solve it, have it judged and publish it as the next version.

    Nothing is published, and the old schedule stays in force, when the judge objects (FAILED),
    when another version came out meanwhile (STALE, and a new job), or when the claim is lost
    (raises LostClaim).
    """
    run, base_version = _begin(site_id, by, now)
    try:
        built, solved = _solve(run, claim, now)
    except (*TOO_SHORT, InvalidProblem) as error:
        return _fail(run, str(error), claim, now)
    if solved.violations:
        told = " ".join(solved.violations[:TOLD_VIOLATIONS])
        return _fail(run, told, claim, solved.at)
    with claim.finish(now=solved.at):
        concurrency.lock(Lock.SCHEDULE, site_id)
        state = PlanState.objects.select_for_update(no_key=True).get(site_id=site_id)
        _move(run, RunState.SOLVED)
        run.solved_at = solved.at
        run.figures = publishing.figures(built, solved)
        if state.last_version != base_version:
            _move(run, RunState.STALE)
            run.error = _("Version %(version)s was published meanwhile.") % {
                "version": state.last_version
            }
            run.save()
            enqueue_replan(site_id=site_id, by=by, now=solved.at)
        else:
            _move(run, RunState.PUBLISHED)
            publishing.publish(run=run, state=state, built=built, solved=solved, by=by)
    return run


def _begin(site_id: int, by: User | None, now: datetime) -> tuple[ScheduleRun, int]:
    """The run of this attempt, SOLVING, and the version it builds on.

    A run that is already solving belongs to an attempt whose worker died, since jobs of a site
    run one at a time: it goes on with it. Else the one that somebody asked for, else a new one.
    """
    with transaction.atomic():
        concurrency.lock(Lock.SCHEDULE, site_id)
        PlanState.objects.get_or_create(site_id=site_id)
        state = PlanState.objects.select_for_update(no_key=True).get(site_id=site_id)
        # Every change asks for this job, so the job's start counts what was gathered for it.
        state.change += 1
        state.changed_at = now
        state.save(update_fields=["change", "changed_at"])
        waiting = ScheduleRun.objects.filter(
            site_id=site_id, state__in=[RunState.SOLVING, RunState.QUEUED]
        )
        run = waiting.order_by("-state", "pk").first() or ScheduleRun(
            site_id=site_id, cause=AUTOMATIC, requested_by=by, requested_at=now
        )
        _move(run, RunState.SOLVING)
        run.base_change = state.change
        run.progress = {"phase": "reading", "percent": 0}
        run.save()
        return run, state.last_version


def _solve(run: ScheduleRun, claim: Claim, now: datetime) -> tuple[problems.Built, solving.Solved]:
    """Solve within the shortest horizon that holds the work."""
    for days in HORIZON_DAYS[:-1]:
        built = problems.build(site_id=run.site_id, now=now, days=days)
        try:
            return built, solving.run(row=run, built=built, claim=claim, now=now)
        except TOO_SHORT:
            continue
    built = problems.build(site_id=run.site_id, now=now, days=HORIZON_DAYS[-1], is_last=True)
    return built, solving.run(row=run, built=built, claim=claim, now=now)


def _fail(run: ScheduleRun, sentence: str, claim: Claim, at: datetime) -> ScheduleRun:
    """Keep the reason; the claim ends, since the same problem would fail the same way."""
    with claim.finish(now=at):
        _move(run, RunState.FAILED)
        run.solved_at = at
        run.error = sentence
        run.save()
    return run


def _move(run: ScheduleRun, new: RunState) -> None:
    transitions.check(RUN_TRANSITIONS, old=RunState(run.state), new=new)
    run.state = new
