"""A site's plan, made anew: ask for it, solve it with no transaction open, publish it at once."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from aps.enums import RUN_TRANSITIONS, RunKind, RunState
from aps.models import PlanState, ScheduleRun
from aps.services import causes, inputs, locks, publishing, repair, solving
from aps.services.comparison import compare, of_run, of_solution
from aps.services.inputs import Inputs
from aps.services.problems import Built
from aps.services.repair import Mended
from aps.solver import HorizonTooShort, InvalidProblem
from common import audit, concurrency, transitions
from common.concurrency import Lock
from common.intervals import CalendarExhausted
from common.jobs import Claim, enqueue
from common.models import User
from masterdata import selectors as masterdata
from mes import selectors as mes

# How far the calendars are read, in days; the next one is tried when the work does not fit.
HORIZON_DAYS = (120, 365, 1100, 2200)
# Improving a schedule that reaches to the end of the calendars may run out of them as well.
TOO_SHORT = (HorizonTooShort, CalendarExhausted)
T = TypeVar("T")
# A failed run tells the first few violations.
TOLD_VIOLATIONS = 5


def request(*, site_id: int, cause: str, by: User | None, now: datetime) -> ScheduleRun:
    """Ask for a new plan of the site; returns the run to watch, the waiting one if there is one."""
    with transaction.atomic():
        concurrency.lock(Lock.SCHEDULE, site_id)
        run = ScheduleRun.objects.filter(
            site_id=site_id, kind=RunKind.LIVE, state=RunState.QUEUED
        ).first()
        if run is None:
            run = ScheduleRun.objects.create(
                site_id=site_id, cause=cause, requested_by=by, requested_at=now
            )
        audit.record(action="aps.run.request", target=run, by=by, now=now, reason=cause)
        enqueue_replan(site_id=site_id, by=by, now=now)
    return run


def makes_anything(site_id: int) -> bool:
    """Whether there is something to plan at the site: machines, work, or a plan somebody asked for.

    Stores and depots have none; what arrives there is no reason for another version of nothing.
    """
    return bool(
        masterdata.active_units(site_id=site_id)
        or ScheduleRun.objects.filter(site_id=site_id).exists()
        or mes.open_operations(site_id=site_id)
    )


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

    A plan that nobody asked for by hand repairs the one in force (aps.services.repair). Nothing is
    published, and the old schedule stays in force, when the judge objects (FAILED), when another
    version came out meanwhile (STALE, and a new job), or when the claim is lost (raises LostClaim).
    """
    run, state = _begin(site_id, by, now)
    try:
        built, mended = within_horizons(
            site_id=site_id, now=now, attempt=lambda found: _solve(found, run, state, claim, now)
        )
    except (*TOO_SHORT, InvalidProblem) as error:
        return _fail(run, why_not(error), claim, now)
    solved = mended.solved
    if solved.violations:
        told = " ".join(solved.violations[:TOLD_VIOLATIONS])
        return _fail(run, told, claim, solved.at)
    difference = _difference(run, built, mended)
    with claim.finish(now=solved.at):
        concurrency.lock(Lock.SCHEDULE, site_id)
        newest = PlanState.objects.select_for_update(no_key=True).get(site_id=site_id)
        move(run, RunState.SOLVED)
        run.solved_at = solved.at
        run.figures = publishing.figures(built, solved)
        run.comparison = difference
        if newest.last_version != state.last_version:
            move(run, RunState.STALE)
            run.error = _("Version %(version)s was published meanwhile.") % {
                "version": newest.last_version
            }
            run.save()
            enqueue_replan(site_id=site_id, by=by, now=solved.at)
        else:
            move(run, RunState.PUBLISHED)
            publishing.store(run, solved.solution.placements)
            publishing.publish(run=run, state=newest, at=solved.at, by=by)
            locks.drop(reasons=built.dropped, now=solved.at)
    return run


def _solve(
    found: Inputs, run: ScheduleRun, state: PlanState, claim: Claim, now: datetime
) -> tuple[Built, Mended]:
    built = repair.without_missed_locks(found)
    if run.cause != causes.AUTOMATIC:
        return built, Mended(
            solving.run(row=run, built=built, claim=claim, now=now), "search", None, None
        )
    return repair.mend(
        row=run,
        built=built,
        frozen_minutes=state.frozen_minutes,
        tolerance=state.tolerance_minutes,
        claim=claim,
        now=now,
    )


def _difference(run: ScheduleRun, built: Built, mended: Mended) -> dict[str, object]:
    """What the new plan means against the one in force, and how it was chosen; {} for the first."""
    previous = ScheduleRun.objects.filter(site_id=run.site_id, state=RunState.PUBLISHED).first()
    if previous is None:
        return {}
    found = compare(
        before=of_run(previous),
        after=of_solution(built, mended.solved.solution),
        site_id=run.site_id,
        now=mended.solved.at,
        base_version=previous.version,
    )
    return {
        **found,
        "cause": causes.since(
            site_id=run.site_id, after=previous.solved_at or previous.requested_at
        ),
        "chosen": mended.chosen,
        # [weighted minutes late, operations moved]
        "by_order": mended.by_order,
        "by_search": mended.by_search,
    }


def _begin(site_id: int, by: User | None, now: datetime) -> tuple[ScheduleRun, PlanState]:
    """The run of this attempt, SOLVING, and the state of the plan it builds on.

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
            site_id=site_id,
            kind=RunKind.LIVE,
            state__in=[RunState.SOLVING, RunState.QUEUED],
        )
        run = waiting.order_by("-state", "pk").first() or ScheduleRun(
            site_id=site_id, cause=causes.AUTOMATIC, requested_by=by, requested_at=now
        )
        move(run, RunState.SOLVING)
        run.base_change = state.change
        run.last_incident_entry = mes.last_incident_entry(site_id=site_id)
        run.base_version = state.last_version
        run.progress = {"phase": "reading", "percent": 0}
        run.save()
        return run, state


def within_horizons(*, site_id: int, now: datetime, attempt: Callable[[Inputs], T]) -> T:
    """The attempt with the shortest horizon that holds the work; raises what the last one does.

    The plant is read once, and one that the plan in force does not fit into is not tried at all.
    """
    found = inputs.read(site_id=site_id, now=now, days=HORIZON_DAYS[0])
    reach = max((placed.end for placed in found.previous.values()), default=0)
    for longer in HORIZON_DAYS[1:]:
        try:
            if reach < found.end:
                return attempt(found)
        except TOO_SHORT:
            pass
        found = found.extended(now=now, days=longer, is_last=longer == HORIZON_DAYS[-1])
    return attempt(found)


def why_not(error: Exception) -> str:
    """For people why there is no plan; what the solver says of its own is for its developers."""
    if isinstance(error, TOO_SHORT):
        return _(
            "The work does not fit into the %(years)s years that are planned: take some out, or "
            "open more hours."
        ) % {"years": HORIZON_DAYS[-1] // 365}
    if isinstance(error, InvalidProblem):
        return _("The data of the plant contradict each other: %(why)s") % {"why": error}
    return str(error)


def _fail(run: ScheduleRun, sentence: str, claim: Claim, at: datetime) -> ScheduleRun:
    """Keep the reason; the claim ends, since the same problem would fail the same way."""
    with claim.finish(now=at):
        move(run, RunState.FAILED)
        run.solved_at = at
        run.error = sentence
        run.save()
    return run


def move(run: ScheduleRun, new: RunState) -> None:
    """Another state, by the table; nothing is saved."""
    transitions.check(RUN_TRANSITIONS, old=RunState(run.state), new=new)
    run.state = new
