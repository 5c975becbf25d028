"""A planner's editing session on the board: one draft each, answered within the request.

Each step repairs the live plan by its own order with all the draft's changes in it: no search. So
the draft is a function of the plan and its list of changes, and undo and redo lead to the very
same place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from aps import policies
from aps.enums import RunKind, RunState
from aps.models import PlanState, ScheduleRun
from aps.policies import CannotChange
from aps.services import changes as kinds
from aps.services import runs, scenario_solving, scenarios, solving, staleness, wishes
from aps.services.changes import CannotApply, Change, Lock, Move, Unlock
from aps.services.comparison import Comparison, of_run
from aps.services.inputs import Inputs
from aps.services.problems import Built
from aps.services.solving import Solved
from aps.services.trials import Trial, reference_of
from aps.solver import InvalidProblem, Placement
from common import audit
from common.models import User

# So many steps are asked for at once.
MOST_AT_ONCE = 200
# What comes after a move sees where it has gone, so each is a plan of its own: so many operations
# are placed for one answer, a few seconds of work.
MOST_PLACED = 60_000


class StaleDraft(CannotChange):
    """The plan moved under the draft; ``since`` says how, ``rebase`` brings it up to date."""

    def __init__(self, since: staleness.Since) -> None:
        super().__init__(since.sentence())
        self.since = since


@dataclass(frozen=True)
class Edited:
    """The draft after a step."""

    run: ScheduleRun
    # What made the wished place impossible, and which locks fell, in words.
    violations: tuple[str, ...]
    # Operations that this step moved, where they are now (their bars are to be drawn anew).
    placements: tuple[Placement, ...]
    # Operations that this step took off the plan.
    removed: tuple[int, ...]
    # The whole draft against the live plan: moved operations, changed order dates, figures.
    comparison: Comparison

    @property
    def can_undo(self) -> bool:
        return self.run.cursor > 0

    @property
    def can_redo(self) -> bool:
        return self.run.cursor < len(self.run.changes)


def draft(*, site_id: int, by: User) -> ScheduleRun | None:
    """The planner's open draft; None where there is none."""
    return ScheduleRun.objects.filter(
        site_id=site_id, requested_by=by, kind=RunKind.EDIT, state__in=RunState.open()
    ).first()


def apply(
    *,
    site_id: int,
    change: Mapping[str, Any],
    by: User,
    now: datetime,
    base_version: int | None = None,
) -> Edited:
    """Do one more thing in the planner's draft, which begins with the first.

    An operation goes to the first possible place from the wished one on; ``violations`` say what
    was in the way. ``base_version``: the version the planner was looking at. Raise CannotRead for
    a change that is not well-formed, CannotApply where the plant does not allow it, StaleDraft
    where the plan has moved meanwhile.
    """
    return apply_all(site_id=site_id, changes=[change], by=by, now=now, base_version=base_version)


def apply_all(
    *,
    site_id: int,
    changes: Sequence[Mapping[str, Any]],
    by: User,
    now: datetime,
    base_version: int | None = None,
) -> Edited:
    """Do several things in the planner's draft, a step each: all of them, or none.

    Raise as ``apply``.
    """
    wanted = kinds.parse_all(changes)
    with transaction.atomic():
        run = _open(site_id, by, now, base_version)
        counting = scenarios.counted(run)
        return _within_horizons(
            site_id=site_id,
            now=now,
            attempt=lambda found: _apply(found, run, counting, wanted, now),
        )


def undo(*, site_id: int, by: User, now: datetime) -> Edited:
    """Take the last step back; raise CannotChange where there is none, and StaleDraft."""
    return _step(site_id, by, now, -1)


def redo(*, site_id: int, by: User, now: datetime) -> Edited:
    """Do the step again that was taken back; raise CannotChange where there is none."""
    return _step(site_id, by, now, 1)


def rebase(*, site_id: int, by: User, now: datetime) -> Edited:
    """Put the draft on the plan in force; steps that no longer fit are dropped and told."""
    with transaction.atomic():
        run = _mine(site_id, by)
        kept, dropped = scenarios.still_possible(run, now)
        state = PlanState.objects.get(site_id=site_id)
        run.changes = [one.as_json() for one in kept]
        run.cursor = len(kept)
        run.base_version = state.last_version
        audit.record(
            action="aps.scenario.rebase", target=run, by=by, now=now, reason=" ".join(dropped)
        )
        return _settle(run, kept, now, tuple(dropped))


def publish(*, site_id: int, by: User, now: datetime) -> ScheduleRun:
    """Make the draft the live plan; raise as ``scenarios.publish``, CannotChange without one."""
    return scenarios.publish(run=_mine(site_id, by, is_locked=False), by=by, now=now)


def discard(*, site_id: int, by: User, now: datetime) -> ScheduleRun:
    """Throw the draft away; raise CannotChange where there is none."""
    return scenarios.reject(run=_mine(site_id, by, is_locked=False), by=by, now=now)


def _open(site_id: int, by: User, now: datetime, base_version: int | None) -> ScheduleRun:
    """The planner's draft, its row held, on the plan in force; a new one for the first step.

    The site is not locked while a step is worked out: publishing looks at the base again.
    """
    found = draft(site_id=site_id, by=by)
    if found is not None:
        return _gone_on(found, by)
    state, _created = PlanState.objects.get_or_create(site_id=site_id)
    seen = ScheduleRun(
        site_id=site_id,
        base_version=state.last_version if base_version is None else base_version,
    )
    _check_base(seen)
    try:
        with transaction.atomic():
            run = ScheduleRun.objects.create(
                site_id=site_id,
                kind=RunKind.EDIT,
                cause=RunKind.EDIT.value,
                requested_by=by,
                requested_at=now,
                base_version=state.last_version,
            )
    except IntegrityError:
        # A double click, or their other window, began the draft a moment ago.
        found = draft(site_id=site_id, by=by)
        if found is None:
            raise
        return _gone_on(found, by)
    audit.record(action="aps.scenario.create", target=run, by=by, now=now)
    return run


def _gone_on(found: ScheduleRun, by: User) -> ScheduleRun:
    """The planner's draft with its row held, where it still stands on the plan in force."""
    run = scenarios.locked(found)
    policies.check_can_change(run, by)
    _check_base(run)
    return run


def _mine(site_id: int, by: User, *, is_locked: bool = True) -> ScheduleRun:
    run = draft(site_id=site_id, by=by)
    if run is None:
        raise CannotChange(_("You have no draft; move something on the board first."))
    return scenarios.locked(run) if is_locked else run


def _check_base(run: ScheduleRun) -> None:
    since = staleness.since(run)
    if since.is_stale:
        raise StaleDraft(since)


def _step(site_id: int, by: User, now: datetime, step: int) -> Edited:
    with transaction.atomic():
        run = _mine(site_id, by)
        _check_base(run)
        cursor = run.cursor + step
        if not 0 <= cursor <= len(run.changes):
            raise CannotChange(
                _("There is nothing to undo.") if step < 0 else _("There is nothing to redo.")
            )
        run.cursor = cursor
        return _settle(run, scenarios.counted(run), now, ())


def _apply(
    found: Inputs,
    run: ScheduleRun,
    counting: Sequence[Change],
    wanted: Sequence[Change],
    now: datetime,
) -> Edited:
    """The draft with more changes; one that is impossible leaves it as it was."""
    _check_size(wanted, len(found.operations))
    everything = list(counting)
    plan = first = _Plan(found, counting)
    violations: list[str] = []
    for one in wanted:
        changed = found.copy()
        for before in everything:
            before.adjust(changed)
        resolved, told = _resolved(one, found, everything, changed, plan)
        violations += told
        everything.append(resolved)
        if _moves(resolved) and one is not wanted[-1]:
            # What comes after it sees where it has gone.
            plan = _Plan(found, everything)
    run.changes = [one.as_json() for one in everything]
    run.cursor = len(everything)
    return _finish(run, found, everything, now, tuple(violations), first.current)


def _check_size(wanted: Sequence[Change], operations: int) -> None:
    """Raise CannotApply for more moves than are answered while somebody waits."""
    moves = sum(map(_moves, wanted))
    most = max(1, MOST_PLACED // max(1, operations))
    if moves > most:
        raise CannotApply(
            _(
                "%(moves)s moves at once take too long with %(operations)s open operations; "
                "move at most %(most)s at a time."
            )
            % {"moves": moves, "operations": f"{operations:,}", "most": most}
        )


def _moves(change: Change) -> bool:
    return isinstance(change, Move) and not isinstance(change, Lock)


def _resolved(
    wanted: Change,
    found: Inputs,
    counting: Sequence[Change],
    changed: Inputs,
    plan: "_Plan",
) -> tuple[Change, tuple[str, ...]]:
    """The change as the draft's plan allows it, and what was in the way of a move."""
    resolved = wanted.resolve(changed, plan.current)
    if not isinstance(resolved, Move) or isinstance(resolved, Lock):
        return resolved, ()
    freed = plan.built
    if resolved.operation in changed.pins:
        freed = kinds.build(found, [*counting, Unlock(operation=resolved.operation)])
    settled = wishes.settle(resolved, built=freed, inputs=changed, current=plan.current)
    return settled.move, settled.violations


def _settle(
    run: ScheduleRun, counting: Sequence[Change], now: datetime, told: tuple[str, ...]
) -> Edited:
    """The draft with these changes, answered like a step."""
    return _within_horizons(
        site_id=run.site_id,
        now=now,
        attempt=lambda found: _finish(run, found, counting, now, told, of_run(run).placements),
    )


def _within_horizons(*, site_id: int, now: datetime, attempt: Callable[[Inputs], Edited]) -> Edited:
    """The step with the calendars as far as it needs them; raise CannotApply for no room."""
    try:
        return runs.within_horizons(site_id=site_id, now=now, attempt=attempt)
    except (*runs.TOO_SHORT, InvalidProblem):
        raise CannotApply(_("With these hours there is no room for all the work.")) from None


class _Plan:
    """The draft as it is before a step."""

    def __init__(self, found: Inputs, counting: Sequence[Change]) -> None:
        self.built = kinds.build(found, counting)
        solution = solving.keep_order(self.built.problem, self.built.previous)
        self.current: Mapping[int, Placement] = solution.by_operation


def _finish(
    run: ScheduleRun,
    found: Inputs,
    counting: Sequence[Change],
    now: datetime,
    violations: tuple[str, ...],
    current: Mapping[int, Placement],
) -> Edited:
    """Repair, judge, compare and store; the caller holds the draft's row."""
    built = kinds.build(found, counting)
    solution = solving.keep_order(built.problem, built.previous)
    after = solution.by_operation
    if impossible := wishes.conflicts(built, after, found):
        raise CannotApply(" ".join(impossible))
    if wrong := solving.judge(built.problem, solution):
        raise CannotApply(" ".join(wrong[:3]))
    reference_built, reference = reference_of(found)
    solved = Solved(solution, [], 0.0, now)
    instead = kinds.rules(counting)
    trial = Trial(found, built, solved, reference_built, reference, instead)
    difference = scenario_solving.difference(run, trial, counting)
    runs.move(run, RunState.SOLVING)
    scenario_solving.keep(run, trial, difference)
    run.save()
    return Edited(
        run=run,
        violations=(*violations, *_fallen(built, found)),
        placements=tuple(p for pk, p in after.items() if pk > 0 and current.get(pk) != p),
        removed=tuple(pk for pk in current if pk not in after),
        comparison=run.comparison,
    )


def _fallen(built: Built, found: Inputs) -> list[str]:
    """Locks that do not hold with the draft's changes; publishing drops them."""
    labels = {o.id: f"{o.work_order_number}/{o.sequence}" for o in found.operations}
    return [
        _("The lock on %(operation)s falls: %(reason)s.")
        % {"operation": labels.get(pk, ""), "reason": reason}
        for pk, reason in built.dropped.items()
    ]
