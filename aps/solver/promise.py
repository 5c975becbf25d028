"""Capable to promise: can this be ready by then, and if not, what stands in the way?

Exact insertion into the gaps of the machines, backwards from the due moment and forwards from
now, over all levels of the bill of materials (APICS: capable-to-promise; the passes are the
backward and forward recursions of the critical path method, Kelley and Walker 1959, with finite
capacity). Setups between families and the people and tools that the plan leaves free are kept
too; waits between operations (``links``) are not known here. Nothing that is already planned moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

from aps.solver.occupancy import Occupancy, Overlay
from aps.solver.problem import Operation, Placement, check_operations
from aps.solver.promise_chain import explain
from aps.solver.promise_types import Answer, InfeasibleHorizon, Request, Status
from common.intervals import FAR_FUTURE

Schedule = dict[int, Placement]


def check(
    *,
    occupancy: Occupancy,
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
            for before in dict.fromkeys(operation.predecessors):
                self.followers[before].append(operation.id)
        self.order = _longest_first(self.operations, self.followers)

    def answer(self, risk_minutes: int) -> tuple[Answer, Overlay]:
        due = self.request.due
        backward = self._backward()
        forward, overlay = self._forward(self.order, {})
        finish = max((p.end for p in forward.values()), default=self.now)
        if backward and finish > due:
            order = sorted(self.order, key=lambda i: backward[i].start)
            kept = {i: placed.resource for i, placed in backward.items()}
            again, its_overlay = self._forward(_feasible(order, self.operations), kept)
            its_finish = max(p.end for p in again.values())
            if its_finish < finish:
                forward, overlay, finish = again, its_overlay, its_finish
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

    # -- the two passes ------------------------------------------------------------------------

    def _forward(self, order: Iterable[int], kept: Mapping[int, int]) -> tuple[Schedule, Overlay]:
        """Each operation where it ends first (on the resource kept, if any)."""
        overlay = Overlay(self.taken)
        schedule: Schedule = {}
        for i in order:
            operation = self.operations[i]
            if operation.fixed is not None:
                schedule[i] = operation.fixed
                continue
            ready = max(
                [self.now, operation.release, *(schedule[p].end for p in operation.predecessors)]
            )
            modes = [m for m in operation.modes if kept.get(i, m.resource) == m.resource]
            placed = overlay.soonest(operation, modes, ready)
            if placed is None or placed.end > self.horizon:
                raise InfeasibleHorizon(
                    f"Operation {i} of request {self.request.id} does not fit before the known "
                    "working time or the horizon of the check ends."
                )
            schedule[i] = placed
            overlay.take(operation, placed)
        return schedule, overlay

    def _backward(self) -> Schedule:
        """Each operation where it starts last; empty when one would start too early."""
        overlay = Overlay(self.taken)
        schedule: Schedule = {}
        for i in reversed(self.order):
            operation = self.operations[i]
            deadline = min([self.request.due, *(schedule[f].start for f in self.followers[i])])
            if operation.fixed is not None:
                if operation.fixed.end > deadline:
                    return {}
                schedule[i] = operation.fixed
                continue
            placed = overlay.latest(operation, operation.modes, deadline)
            if placed is None or placed.start < max(self.now, operation.release):
                return {}
            schedule[i] = placed
            overlay.take(operation, placed)
        return schedule


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
    waiting = {i: len(set(o.predecessors)) for i, o in operations.items()}
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
    missing = {i: len(set(operations[i].predecessors)) for i in preferred}
    followers: dict[int, list[int]] = {i: [] for i in preferred}
    for i in preferred:
        for before in set(operations[i].predecessors):
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
