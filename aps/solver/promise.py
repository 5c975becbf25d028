"""Capable to promise: can this be ready by then, and if not, what stands in the way?

Exact insertion into the gaps of the machines, backwards from the due moment and forwards from
now, over all levels of the bill of materials (APICS: capable-to-promise; the passes are the
backward and forward recursions of the critical path method, Kelley and Walker 1959, with finite
capacity). Setups between families, the people and tools that the plan leaves free, waits between
operations and transfer batches (``links``) are kept too. Nothing that is already planned moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

from aps.solver.occupancy import Occupancy, Overlay
from aps.solver.problem import Mode, Operation, Placement, check_operations
from aps.solver.promise_chain import explain
from aps.solver.promise_types import Answer, InfeasibleHorizon, Request, Status
from aps.solver.waits import may_start, must_end, ready
from common.intervals import FAR_FUTURE

Schedule = dict[int, Placement]

# Longest waits and transfer batches are met by placing again, a little later or earlier; where
# that does not end within so many rounds the answer is the one that promises less.
MOST_ROUNDS = 60


def check(
    *,
    occupancy: Occupancy | Overlay,
    requests: Sequence[Request],
    now: int,
    risk_minutes: int = 0,
    horizon: int | None = None,
) -> tuple[Answer, ...]:
    """One answer per request, in order; later requests see the earlier ones' forward schedules.

    ``risk_minutes``: feasible with less slack than this is AT_RISK. ``horizon``: no search past
    this moment. A ``fixed`` operation runs where it is and is part of the occupancy already.
    ``occupancy`` is left as it was. Raises ``InfeasibleHorizon`` with a sentence when working
    time or horizon end before the work fits in, and ``InvalidProblem``.
    """
    taken = Overlay(occupancy)
    answers = []
    for request in requests:
        check_operations(request.operations, occupancy.resources)
        answer, taken = _Check(request, taken, now, horizon or FAR_FUTURE).answer(risk_minutes)
        answers.append(answer)
    return tuple(answers)


class _Check:
    """One request against what is taken."""

    def __init__(self, request: Request, taken: Overlay, now: int, horizon: int) -> None:
        self.request, self.taken, self.now, self.horizon = request, taken, now, horizon
        self.operations = {o.id: o for o in request.operations}
        self.followers: dict[int, list[int]] = {i: [] for i in self.operations}
        for operation in request.operations:
            for before in operation.waits_for:
                self.followers[before].append(operation.id)
        self.order = _longest_first(self.operations, self.followers)

    def answer(self, risk_minutes: int) -> tuple[Answer, Overlay]:
        due = self.request.due
        backward = self._backward()
        forward, overlay = self._soonest(backward)
        finish = max((p.end for p in forward.values()), default=self.now)
        status, slack = Status.INFEASIBLE, 0
        if finish <= due:
            slack = _slack(forward, backward, due) if backward else 0
            status = Status.AT_RISK if slack < risk_minutes else Status.FEASIBLE
        bound = backward or forward
        chain, binding = explain(
            request=self.request,
            resources=self.taken.resources,
            schedule=forward,
            now=self.now,
            pool_waits=overlay.pool_waits,
        )
        return (
            Answer(
                request=self.request.id,
                status=status,
                due=due,
                earliest_finish=finish,
                latest_start=(
                    None
                    if status is Status.INFEASIBLE
                    else min((p.start for p in bound.values()), default=due)
                ),
                slack_minutes=slack,
                forward=_listed(forward),
                backward=_listed(backward) if status is not Status.INFEASIBLE else (),
                chain=chain,
                binding=binding,
            ),
            overlay,
        )

    def _soonest(self, backward: Schedule) -> tuple[Schedule, Overlay]:
        """Forwards, the longest route first; where that is late also as backwards has it."""
        forward, overlay = self._forward(self.order, {})
        if not backward or _finish(forward) <= self.request.due:
            return forward, overlay
        order = sorted(self.order, key=lambda i: backward[i].start)
        kept = {i: placed.resource for i, placed in backward.items()}
        try:
            again = self._forward(_feasible(order, self.operations), kept)
        except InfeasibleHorizon:
            return forward, overlay
        return again if _finish(again[0]) < _finish(forward) else (forward, overlay)

    # -- the two passes ------------------------------------------------------------------------

    def _forward(self, order: Iterable[int], kept: Mapping[int, int]) -> tuple[Schedule, Overlay]:
        """Each operation where it ends first (on the resource kept, if any).

        Where a longest wait is broken, all is placed again with its predecessor held back.
        """
        turn = list(order)
        holds: dict[int, int] = {}
        for _round in range(MOST_ROUNDS):
            schedule, overlay = self._placed(turn, kept, holds)
            late = self._waits_too_long(schedule)
            if late is None:
                return schedule, overlay
            before, minutes = late
            holds[before] = schedule[before].start + minutes
        raise InfeasibleHorizon(
            f"The longest waits of request {self.request.id} cannot be kept within the plan."
        )

    def _placed(
        self, order: Iterable[int], kept: Mapping[int, int], holds: Mapping[int, int]
    ) -> tuple[Schedule, Overlay]:
        overlay = Overlay(self.taken)
        schedule: Schedule = {}
        for i in order:
            operation = self.operations[i]
            if operation.fixed is not None:
                schedule[i] = operation.fixed
                continue
            resources = self.taken.resources
            free = ready(operation, schedule, resources) or self.now
            moment = max(self.now, operation.release, free, holds.get(i, 0))
            modes = [m for m in operation.modes if kept.get(i, m.resource) == m.resource]
            placed = self._after_batches(overlay, operation, modes, moment, schedule)
            if placed is None or placed.end > self.horizon:
                raise InfeasibleHorizon(
                    f"Operation {i} of request {self.request.id} does not fit before the known "
                    "working time or the horizon of the check ends."
                )
            schedule[i] = placed
            overlay.take(operation, placed)
        return schedule, overlay

    def _after_batches(
        self,
        overlay: Overlay,
        operation: Operation,
        modes: Sequence[Mode],
        moment: int,
        schedule: Schedule,
    ) -> Placement | None:
        """The soonest place from the moment on that does not end before the last batch is through.

        After ``MOST_ROUNDS`` as if it waited for the whole.
        """
        guard = must_end(operation, schedule)
        for _round in range(MOST_ROUNDS):
            placed = overlay.soonest(operation, modes, moment)
            if placed is None or guard is None or placed.end >= guard:
                return placed
            moment = placed.start + guard - placed.end
        return overlay.soonest(operation, modes, guard or moment)

    def _waits_too_long(self, schedule: Schedule) -> tuple[int, int] | None:
        """A movable operation after which another starts too late, and by how many minutes."""
        for i, here in schedule.items():
            for link in self.operations[i].links:
                before = schedule[link.before]
                if link.max_lag is None or self.operations[link.before].fixed is not None:
                    continue
                if here.start > before.end + link.max_lag:
                    return link.before, here.start - before.end - link.max_lag
        return None

    def _backward(self) -> Schedule:
        """Each operation where it starts last; empty when one would start too early.

        Where a longest wait is broken, all is placed again with its follower brought forward.
        """
        limits: dict[int, int] = {}
        for _round in range(MOST_ROUNDS):
            schedule = self._placed_last(limits)
            late = self._waits_too_long(schedule) if schedule else None
            if late is None:
                return schedule
            for i in self.followers[late[0]]:
                for link in self.operations[i].links:
                    if link.before == late[0] and link.max_lag is not None:
                        limits[i] = min(schedule[i].end - late[1], limits.get(i, schedule[i].end))
        return {}

    def _placed_last(self, limits: Mapping[int, int]) -> Schedule:
        overlay = Overlay(self.taken)
        schedule: Schedule = {}
        for i in reversed(self.order):
            operation = self.operations[i]
            deadline = min(
                [self.request.due, limits.get(i, self.request.due), *self._deadlines(i, schedule)]
            )
            if operation.fixed is not None:
                if (
                    operation.fixed.end > deadline
                    or self._passes_late(operation.fixed, schedule) > 0
                ):
                    return {}
                schedule[i] = operation.fixed
                continue
            placed = overlay.latest(operation, operation.modes, deadline)
            for _round in range(MOST_ROUNDS):
                late = self._passes_late(placed, schedule) if placed is not None else 0
                if placed is None or late <= 0:
                    break
                placed = overlay.latest(operation, operation.modes, placed.end - late)
            if placed is None or placed.start < max(self.now, operation.release):
                return {}
            if self._passes_late(placed, schedule) > 0:
                return {}
            schedule[i] = placed
            overlay.take(operation, placed)
        return schedule

    def _deadlines(self, i: int, schedule: Schedule) -> Iterable[int]:
        """When the operation has to be over, by each that follows it."""
        for follower in self.followers[i]:
            here = schedule[follower]
            for link in self.operations[follower].precedences:
                if link.before == i:
                    batch = link.transfer_minutes is not None
                    yield here.end - link.tail_minutes if batch else here.start - link.min_lag

    def _passes_late(self, placed: Placement, schedule: Schedule) -> int:
        """By how many minutes its first transfer batch comes too late for those that follow."""
        working = self.taken.resources[placed.resource].working_time
        return max(
            (
                may_start(link, placed, working) - schedule[follower].start
                for follower in self.followers[placed.operation]
                for link in self.operations[follower].links
                if link.before == placed.operation and link.transfer_minutes is not None
            ),
            default=0,
        )


def _finish(schedule: Schedule) -> int:
    return max((placed.end for placed in schedule.values()), default=0)


def _slack(forward: Schedule, backward: Schedule, due: int) -> int:
    """Clock minutes every operation can be put off: the least over them, and up to due."""
    slack = due - max(p.end for p in forward.values())
    for i, late in backward.items():
        early = forward[i]
        if early != late:
            slack = min(slack, max(late.start - early.start, late.end - early.end))
    return max(0, slack)


def _listed(schedule: Schedule) -> tuple[Placement, ...]:
    return tuple(sorted(schedule.values(), key=lambda p: (p.start, p.end, p.operation)))


def _longest_first(
    operations: Mapping[int, Operation], followers: Mapping[int, Sequence[int]]
) -> list[int]:
    """Predecessors first; among what is ready, the longest route to the end."""
    waiting = {i: len(o.waits_for) for i, o in operations.items()}
    order = [i for i, count in waiting.items() if not count]
    for i in order:  # grows while it is walked
        for follower in followers[i]:
            waiting[follower] -= 1
            if not waiting[follower]:
                order.append(follower)
    route: dict[int, int] = {}
    for i in reversed(order):
        own = min(mode.minutes for mode in operations[i].modes)
        route[i] = own + max((route[f] for f in followers[i]), default=0)
    return _feasible(sorted(order, key=lambda i: (-route[i], i)), operations)


def _feasible(preferred: Sequence[int], operations: Mapping[int, Operation]) -> list[int]:
    """The preferred order, as far as predecessors allow."""
    turn = {i: at for at, i in enumerate(preferred)}
    missing = {i: len(operations[i].waits_for) for i in preferred}
    followers: dict[int, list[int]] = {i: [] for i in preferred}
    for i in preferred:
        for before in operations[i].waits_for:
            followers[before].append(i)
    ready = [turn[i] for i in preferred if not missing[i]]
    heapify(ready)
    order = []
    while ready:
        i = preferred[heappop(ready)]
        order.append(i)
        for follower in followers[i]:
            missing[follower] -= 1
            if not missing[follower]:
                heappush(ready, turn[follower])
    return order
