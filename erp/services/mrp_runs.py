"""Runs of requirements planning: asked for by people, done by the job ledger."""

import time
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit, events, transitions
from common.concurrency import Lock, lock
from common.enums import JobState
from common.jobs import Claim, enqueue, reschedule
from common.models import Job, User
from erp import mrp, selectors
from erp.enums import MRP_RUN_TRANSITIONS, MrpCause, MrpRunState
from erp.events import MrpRunChanged
from erp.models import MrpRun
from erp.services import auto_ordering, proposal_writing

JOB = "erp.run_mrp"
# How often the page hears how far it is.
_SAY_SECONDS = 1.0


def request(
    *,
    site_id: int,
    by: User | None,
    now: datetime,
    cause: MrpCause = MrpCause.PERSON,
    run_at: datetime | None = None,
) -> MrpRun:
    """Ask for a run; the one that waits already is the answer where there is one.

    One that waits for changes to go quiet (``run_at``) is moved, and goes at once where somebody
    else asks for it.
    """
    with transaction.atomic():
        for waiting in MrpRun.objects.filter(site=site_id, state=MrpRunState.QUEUED):
            if has_died(waiting):
                _fail(waiting, _("Its background job was called off."), now)
        run, created = MrpRun.objects.get_or_create(
            site_id=site_id,
            state=MrpRunState.QUEUED,
            defaults={"requested_by": by, "requested_at": now, "cause": cause},
        )
        if created:
            enqueue(
                JOB,
                key=_job_key(run),
                group_key=f"mrp:{site_id}",
                run_at=run_at,
                now=now,
                by=by,
                run_id=run.pk,
            )
            audit.record(action="erp.mrp_run.request", target=run, by=by, now=now)
            _tell(run, by, now)
        elif run.cause == MrpCause.CHANGES:
            reschedule(_job_key(run), run_at=run_at or now)
            if cause != MrpCause.CHANGES:
                run.cause, run.requested_by = cause, by
                run.save(update_fields=["cause", "requested_by"])
                audit.record(action="erp.mrp_run.request", target=run, by=by, now=now)
                _tell(run, by, now)
    return run


def has_died(run: MrpRun) -> bool:
    """Whether the work on it was given up after all its attempts, or called off."""
    dead = [JobState.DEAD, JobState.CANCELLED]
    return Job.objects.filter(key=_job_key(run), state__in=dead).exists()


def run(*, run_id: int, by: User | None, now: datetime, claim: Claim) -> None:
    """Plan the site and write its proposals, as a long job; a run that is over stays as it is."""
    found = MrpRun.objects.select_related("site").get(pk=run_id)
    if found.state in (MrpRunState.DONE, MrpRunState.FAILED):
        return
    _move(found, MrpRunState.RUNNING)
    found.started_at = now
    found.save(update_fields=["state", "started_at"])
    zone = ZoneInfo(found.site.time_zone)
    today = now.astimezone(zone).date()
    try:
        with transaction.atomic():
            # One picture: nobody plans supply while it is read.
            lock(Lock.SUPPLY, found.site_id)
            reading = selectors.read_situation(site_id=found.site_id, today=today, zone=zone)
    except selectors.CannotPlan as refusal:
        with claim.finish(now=now):
            _fail(found, str(refusal), now)
            _tell(found, by, now)
        return
    plan = mrp.run(reading.situation, tick=_Progress(found, claim))
    claim.extend()
    with claim.finish(now=now):
        proposal_writing.write(run=found, reading=reading, plan=plan, zone=zone)
        ordered = auto_ordering.order_by_rule(
            reading=reading, site_id=found.site_id, today=today, now=now
        )
        _move(found, MrpRunState.DONE)
        found.finished_at = now
        found.done_items = found.all_items = len(reading.situation.items)
        found.counts = dict(Counter(m.action for m in plan.messages))
        made = {item.id for item in reading.situation.items.values() if item.is_made}
        found.counts |= Counter("make" if o.item_id in made else "buy" for o in plan.orders)
        found.counts["by_rule"] = ordered
        found.missing_rates = sorted(reading.unknown_currencies)
        found.save()
        _tell(found, by, now)


class _Progress:
    """Says how far it is, in statements of their own, and keeps the claim alive."""

    def __init__(self, run: MrpRun, claim: Claim) -> None:
        self._run, self._claim = run, claim
        self._said = time.monotonic()

    def __call__(self, done: int, all_items: int) -> None:
        if time.monotonic() - self._said < _SAY_SECONDS:
            return
        self._said = time.monotonic()
        self._claim.extend()
        MrpRun.objects.filter(pk=self._run.pk).update(done_items=done, all_items=all_items)


def _tell(run: MrpRun, by: User | None, now: datetime) -> None:
    events.publish(MrpRunChanged(run_id=run.pk, site_id=run.site_id), by=by, now=now)


def _job_key(run: MrpRun) -> str:
    return selectors.run_key(run)


def _fail(run: MrpRun, sentence: str, now: datetime) -> None:
    _move(run, MrpRunState.FAILED)
    run.error, run.finished_at = sentence, now
    run.save(update_fields=["state", "error", "finished_at"])


def _move(run: MrpRun, new: MrpRunState) -> None:
    transitions.check(MRP_RUN_TRANSITIONS, old=MrpRunState(run.state), new=new)
    run.state = new
