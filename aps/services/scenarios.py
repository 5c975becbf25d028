"""Scenarios: the plan copied, changed, solved, compared, and published or thrown away.

A scenario is a ScheduleRun that is not live yet (docs/adr/0004-scenarios.md). What it changes is
kept as a list; the plan is computed from the live one and that list, so it can be undone, redone
and brought up to date. Solving is a job of its own; publishing is one transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from aps import policies
from aps.enums import RunKind, RunState
from aps.models import PlanState, ScheduleRun
from aps.policies import CannotChange, CannotPublish, CannotRebase, CannotReject
from aps.services import changes as kinds
from aps.services import inputs as reading
from aps.services import locks, problems, publishing, runs, staleness
from aps.services.changes import CannotApply, CannotRead, Change, Move, Writing
from aps.services.inputs import Inputs
from common import audit, concurrency
from common.concurrency import Lock
from common.enums import JobState
from common.jobs import enqueue
from common.models import Job, User
from masterdata.services import calendars
from mes import selectors as mes

__all__ = [
    "CannotApply",
    "CannotChange",
    "CannotPublish",
    "CannotRead",
    "CannotRebase",
    "CannotReject",
    "StaleBase",
    "change",
    "copy",
    "counted",
    "create",
    "publish",
    "rebase",
    "reject",
]

# Resolving reads the plant, not its far future.
RESOLVE_DAYS = 120


class StaleBase(CannotPublish):
    """The plan has changed since the scenario was made; ``since`` says how."""

    def __init__(self, since: staleness.Since, sentence: str) -> None:
        super().__init__(sentence)
        self.since = since


def create(
    *,
    site_id: int,
    kind: RunKind,
    name: str,
    changes: Sequence[Any],
    by: User | None,
    now: datetime,
) -> ScheduleRun:
    """A new scenario on the live plan, its solving asked for.

    ``changes`` as ``aps.services.changes`` reads them. Raise CannotRead for one that is not
    well-formed and CannotApply for one that the plant does not allow.
    """
    resolved = resolve(
        reading.read(site_id=site_id, now=now, days=RESOLVE_DAYS), kinds.parse_all(changes)
    )
    with transaction.atomic():
        state, _created = PlanState.objects.get_or_create(site_id=site_id)
        run = ScheduleRun.objects.create(
            site_id=site_id,
            kind=kind,
            name=name.strip()[:80],
            cause=kind.value,
            requested_by=by,
            requested_at=now,
            base_version=state.last_version,
            changes=[one.as_json() for one in resolved],
            cursor=len(resolved),
        )
        audit.record(
            action="aps.scenario.create", target=run, by=by, now=now, changes=_told(resolved)
        )
        ask(run, by=by, now=now)
    return run


def change(
    *, run: ScheduleRun, changes: Sequence[Any], by: User | None, now: datetime
) -> ScheduleRun:
    """Other changes for a scenario, its solving asked for; raise CannotChange and as ``create``."""
    resolved = resolve(
        reading.read(site_id=run.site_id, now=now, days=RESOLVE_DAYS), kinds.parse_all(changes)
    )
    with transaction.atomic():
        run = locked(run)
        policies.check_can_change(run, by)
        run.changes = [one.as_json() for one in resolved]
        run.cursor = len(resolved)
        _again(run, by=by, now=now)
        audit.record(
            action="aps.scenario.change", target=run, by=by, now=now, changes=_told(resolved)
        )
    return run


def copy(*, run: ScheduleRun, name: str, by: User | None, now: datetime) -> ScheduleRun:
    """A new what-if with the same changes on the plan of today; those that no longer fit are left.

    A draft's is what its planner has done so far.
    """
    return create(
        site_id=run.site_id,
        kind=RunKind.WHAT_IF,
        name=name,
        changes=[one.as_json() for one in still_possible(run, now)[0]],
        by=by,
        now=now,
    )


def publish(
    *, run: ScheduleRun, by: User | None, now: datetime, is_decided: bool = False
) -> ScheduleRun:
    """Make a solved scenario the live plan, and permanent what its changes ask to be.

    A rush is published by the approval of its request (``is_decided``), which keeps the promise.
    Raise CannotChange for another planner's draft; CannotPublish with the reason; StaleBase, the
    scenario being STALE from then on, where the plan has moved since.
    """
    with transaction.atomic():
        needs_supply = _needs_supply(counted(run))
        if needs_supply:
            concurrency.lock(Lock.SUPPLY, run.site_id)
        concurrency.lock(Lock.SCHEDULE, run.site_id)
        run = locked(run)
        # A step that came in while this waited is part of the plan that is stored.
        counting = counted(run)
        if _needs_supply(counting) and not needs_supply:
            raise CannotPublish(_changed_meanwhile())
        policies.check_can_publish(run, is_decided=is_decided)
        policies.check_is_own(run, by)
        _check_contents(run, counting)
        state = PlanState.objects.select_for_update(no_key=True).get(site_id=run.site_id)
        since = staleness.since(run)
        if since.is_stale or run.state == RunState.STALE:
            if run.state != RunState.STALE:
                runs.move(run, RunState.STALE)
                run.error = since.sentence()
                run.save(update_fields=["state", "error"])
        else:
            runs.move(run, RunState.PUBLISHED)
            writing = Writing(run=run, by=by, now=now)
            for one in counting:
                one.persist(writing)
            # The carried figures are of the version it was made on; history keeps that number.
            told = "; ".join(one.describe() for one in counting)
            publishing.publish(run=run, state=state, at=now, by=by, reason=told)
            lost = run.comparison.get("dropped_locks", {})
            locks.drop(reasons={int(pk): reason for pk, reason in lost.items()}, now=now)
            if _is_overdue(run, now):
                runs.enqueue_replan(site_id=run.site_id, by=by, now=now)
    if run.state == RunState.STALE:
        raise StaleBase(since, run.error or since.sentence())
    return run


def reject(*, run: ScheduleRun, by: User | None, now: datetime, reason: str = "") -> ScheduleRun:
    """Throw a scenario away; raise CannotReject, and CannotChange for another planner's draft."""
    with transaction.atomic():
        run = locked(run)
        policies.check_can_reject(run)
        policies.check_is_own(run, by)
        runs.move(run, RunState.REJECTED)
        run.save(update_fields=["state"])
        audit.record(action="aps.scenario.reject", target=run, by=by, now=now, reason=reason)
    return run


def rebase(*, run: ScheduleRun, by: User | None, now: datetime) -> ScheduleRun:
    """Put the scenario on the plan in force and ask for its solving anew; raise CannotRebase.

    CannotChange for another planner's draft.
    Changes that the plant no longer allows are dropped, and ``run.comparison["dropped"]`` says
    which and why.
    """
    seen = counted(run)
    kept, dropped = possible(site_id=run.site_id, changes=seen, now=now)
    with transaction.atomic():
        run = locked(run)
        policies.check_can_rebase(run)
        policies.check_is_own(run, by)
        if counted(run) != seen:
            raise CannotRebase(_changed_meanwhile())
        run.changes = [one.as_json() for one in kept]
        run.cursor = len(kept)
        _again(run, by=by, now=now)
        run.comparison = {"dropped_changes": dropped}
        run.save(update_fields=["comparison"])
        audit.record(
            action="aps.scenario.rebase", target=run, by=by, now=now, reason=" ".join(dropped)
        )
    return run


# What edits and solving share.


def locked(run: ScheduleRun) -> ScheduleRun:
    """The run's row, held until the transaction ends."""
    return ScheduleRun.objects.select_for_update(no_key=True).get(pk=run.pk)


def counted(run: ScheduleRun) -> list[Change]:
    """The changes of a scenario that are not undone."""
    return kinds.parse_all(run.changes[: run.cursor])


def resolve(found: Inputs, wanted: Sequence[Change]) -> list[Change]:
    """The changes with names looked up, one after the other; raise CannotApply for the first that
    the plant, with those before it, does not allow."""
    mine = found.copy()
    resolved: list[Change] = []
    for one in wanted:
        again = one.resolve(mine, mine.previous)
        again.adjust(mine)
        resolved.append(again)
    # To build the problem of a large plant takes its time: only a move can be impossible in it.
    moves = [one for one in resolved if isinstance(one, Move)]
    impossible = problems.build_from(mine).dropped if moves else {}
    for one in moves:
        if one.operation in impossible:
            raise CannotApply(_not_there(one, impossible[one.operation]))
    return resolved


def _not_there(one: Move, reason: str) -> str:
    return _("%(operation)s cannot be there: %(reason)s.") % {
        "operation": one.label,
        "reason": reason,
    }


def ask(run: ScheduleRun, *, by: User | None, now: datetime) -> None:
    """Ask for the job that solves a queued scenario, in the current transaction."""
    moment = calendars.to_minutes(now)
    enqueue(
        "aps.solve_scenario",
        key=f"scenario:{run.pk}:{moment}",
        now=now,
        by=by,
        group_key=_group(run),
        coalesce=True,
        run_id=run.pk,
    )


def has_died(run: ScheduleRun) -> bool:
    """Whether it waits or is solved, and the work on it was given up or called off."""
    if run.state not in (RunState.QUEUED, RunState.SOLVING):
        return False
    job = Job.objects.filter(group_key=_group(run)).order_by("-pk").first()
    return job is not None and job.state in (JobState.DEAD, JobState.CANCELLED)


def _group(run: ScheduleRun) -> str:
    return f"scenario:{run.pk}"


def _again(run: ScheduleRun, *, by: User | None, now: datetime) -> None:
    state = PlanState.objects.get(site_id=run.site_id)
    runs.move(run, RunState.QUEUED)
    run.base_version = state.last_version
    run.error = ""
    run.progress = {}
    run.save()
    ask(run, by=by, now=now)


def still_possible(run: ScheduleRun, now: datetime) -> tuple[list[Change], list[str]]:
    """The counted changes that the plant still allows, and sentences for the others."""
    return possible(site_id=run.site_id, changes=counted(run), now=now)


def possible(
    *, site_id: int, changes: Sequence[Change], now: datetime
) -> tuple[list[Change], list[str]]:
    """The changes that the plant allows, with names looked up, and sentences for the others."""
    mine = reading.read(site_id=site_id, now=now, days=RESOLVE_DAYS)
    kept: list[Change] = []
    dropped: list[str] = []
    for one in changes:
        try:
            again = one.resolve(mine, mine.previous)
        except CannotApply as error:
            dropped.append(f"{one.describe()}: {error}")
            continue
        again.adjust(mine)
        kept.append(again)
    impossible = problems.build_from(mine).dropped
    for one in [one for one in kept if isinstance(one, Move)]:
        if one.operation in impossible:
            kept.remove(one)
            dropped.append(_not_there(one, impossible[one.operation]))
    return kept, dropped


def _needs_supply(counting: Sequence[Change]) -> bool:
    return any(one.needs_supply for one in counting)


def _changed_meanwhile() -> str:
    return _("It was changed meanwhile; look at it again.")


def _check_contents(run: ScheduleRun, counting: Sequence[Change]) -> None:
    reasons = [one.refusal(RunKind(run.kind)) for one in counting]
    if refused := next((reason for reason in reasons if reason), ""):
        raise CannotPublish(refused)


def _is_overdue(run: ScheduleRun, now: datetime) -> bool:
    """Whether the plan, solved a while ago, has work before now that has not begun."""
    due = run.operations.filter(starts_at__lt=now).values_list("operation_id", flat=True)
    return any(found.started_at is None for found in mes.standings(list(due)).values())


def _told(changes: Sequence[Change]) -> dict[str, list[Any]]:
    return {"changes": [None, [one.describe() for one in changes]]}
