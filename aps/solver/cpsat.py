"""One neighbourhood as an exact CP-SAT model on the clock, shift calendars included.

Three kinds of operations: *free* ones may change machine and order; *floating* ones keep their
machine and the order among themselves, but not their times (the partial-order-schedule relaxation
of Godard, Laborie and Nuijten 2005, Randomized large neighborhood search for cumulative
scheduling); all others are obstacles where they are. An operation that pauses overnight takes a
clock time that is a step function of its start; it has only a handful of values, so each (machine,
value) is an optional interval of fixed size with the starts that yield it as its domain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from ortools.sat.python import cp_model

from aps.solver.plant import NO_DUE, Plant
from aps.solver.schedule import Schedule
from common.intervals import CalendarExhausted, Interval, WorkingTime

TARDINESS_SCALE = 50


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Step positions: ``free`` to re-order and re-assign, ``floating`` to be shifted."""

    free: tuple[int, ...]
    floating: tuple[int, ...]


@dataclass(slots=True)
class _Bars:
    """The variables of one step: start, end, and the presence literal per resource."""

    start: cp_model.IntVar
    end: cp_model.LinearExprT
    on: dict[int, cp_model.LiteralT] = field(default_factory=dict)


def pieces(
    working_time: WorkingTime, minutes: int, interruptible: bool, low: int, high: int
) -> dict[int, list[list[int]]]:
    """Clock duration -> the inclusive ranges of starts in [low, high] that take that long."""
    found: dict[int, list[list[int]]] = defaultdict(list)
    windows = working_time.windows_between(low, high + 1)
    if not windows:
        return found
    reach = _reach(working_time, windows[-1].end - 1, minutes) if interruptible else 0
    tail = working_time.windows_between(windows[-1].end, reach)
    whole = _whole_windows(working_time, windows, tail)
    for at, window in enumerate(windows):
        last = min(whole[at].end - minutes, window.end - 1) if minutes else window.end - 1
        if last >= window.start:
            found[minutes].append([window.start, last])
        if not interruptible:
            continue
        first, pause, later = max(window.start, last + 1), 0, at
        while first < window.end and later + 1 < len(whole):
            pause += whole[later + 1].start - whole[later].end
            later += 1
            room = sum(w.minutes for w in whole[at + 1 : later + 1])
            upto = min(window.end - 1, whole[at].end - minutes + room)
            if upto >= first:
                found[minutes + pause].append([first, upto])
                first = upto + 1
    return found


def _reach(working_time: WorkingTime, start: int, minutes: int) -> int:
    """When work begun at ``start`` is over; where the calendar ends before, the calendar's end."""
    try:
        return working_time.place(start, minutes)[1]
    except CalendarExhausted:
        return working_time[-1].end


def _whole_windows(
    working_time: WorkingTime, windows: Sequence[Interval], tail: Sequence[Interval]
) -> list[Interval]:
    whole = [working_time.window_at(w.start) or w for w in windows]
    return whole + [w for w in tail if w.start >= whole[-1].end]


class NeighbourhoodModel:
    """Builds the model of one neighbourhood around an incumbent and reads its answer."""

    def __init__(self, plant: Plant, incumbent: Schedule, part: Neighbourhood) -> None:
        self.plant, self.old, self.part = plant, incumbent, part
        self.model = cp_model.CpModel()
        self.inside = {*part.free, *part.floating}
        self.free = set(part.free)
        self.low, self.high = self._span()
        self.bars: dict[int, _Bars] = {}
        self.intervals: dict[int, list[cp_model.IntervalVar]] = defaultdict(list)
        for i in (*part.free, *part.floating):
            self._add_step(i)
        self._add_precedence()
        self._add_machines()
        self._add_objective()

    # -- time ----------------------------------------------------------------------------------

    def _span(self) -> tuple[int, int]:
        low = min(self.old.start[i] for i in self.inside)
        high = max(self.old.end[i] for i in self.inside)
        return low, high + (high - low) // 4 + 1440

    def _range(self, i: int) -> tuple[int, int]:
        """Inclusive range of starts: after frozen predecessors, and as far as the region goes."""
        step, old = self.plant.steps[i], self.old
        low = max([step.ready, *(old.end[p] for p in step.predecessors if p not in self.inside)])
        if i in self.free:
            return low, max(self.high, old.start[i])
        reach = max(2880, (self.high - self.low) // 3)
        return max(low, old.start[i] - reach), old.start[i] + reach

    # -- variables -----------------------------------------------------------------------------

    def _add_step(self, i: int) -> None:
        step, model = self.plant.steps[i], self.model
        low, high = self._range(i)
        modes = step.modes if i in self.free else self._kept_modes(i)
        choices: list[tuple[int, int, list[list[int]]]] = []
        for resource, minutes in modes:
            working_time = self.plant.resources[resource].working_time
            ranges = pieces(working_time, minutes, step.interruptible, low, high)
            choices += [(resource, size, where) for size, where in ranges.items()]
        domain = cp_model.Domain.FromIntervals([r for _, _, where in choices for r in where])
        start = model.new_int_var_from_domain(domain, "")
        model.add_hint(start, self.old.start[i])
        literals = [model.new_bool_var("") for _ in choices]
        model.add_exactly_one(literals)
        sizes = [size for _, size, _ in choices]
        end = model.new_int_var(low, high + max(sizes), "")
        model.add(end == start + cp_model.LinearExpr.weighted_sum(literals, sizes))
        model.add_hint(end, self.old.end[i])
        by_resource: dict[int, list[cp_model.IntVar]] = defaultdict(list)
        old = (self.old.resource[i], self.old.end[i] - self.old.start[i])
        for literal, (resource, size, where) in zip(literals, choices, strict=True):
            allowed = cp_model.Domain.FromIntervals(where)
            model.add_linear_expression_in_domain(start, allowed).only_enforce_if(literal)
            model.add_hint(literal, (resource, size) == old)
            by_resource[resource].append(literal)
            if self.plant.lanes[resource] and size:
                self.intervals[resource].append(
                    model.new_optional_fixed_size_interval_var(start, size, literal, "")
                )
        self.bars[i] = _Bars(
            start, end, {r: self._any(row, r == old[0]) for r, row in by_resource.items()}
        )

    def _kept_modes(self, i: int) -> list[tuple[int, int]]:
        return [m for m in self.plant.steps[i].modes if m[0] == self.old.resource[i]]

    def _any(self, literals: list[cp_model.IntVar], hint: bool) -> cp_model.LiteralT:
        if len(literals) == 1:
            return literals[0]
        one = self.model.new_bool_var("")
        self.model.add(sum(literals) == one)
        self.model.add_hint(one, hint)
        return one

    # -- constraints ---------------------------------------------------------------------------

    def _add_precedence(self) -> None:
        for i in self.inside:
            for before in self.plant.steps[i].predecessors:
                if before in self.inside:
                    self.model.add(self.bars[i].start >= self.bars[before].end)
            ends = [
                self.old.start[after]
                for after in self.plant.successors[i]
                if after not in self.inside and self.old.end[i] <= self.old.start[after]
            ]
            if ends:
                self.model.add(self.bars[i].end <= min(ends))

    def _add_machines(self) -> None:
        frozen: dict[int, list[int]] = defaultdict(list)
        for i, resource in enumerate(self.old.resource):
            if i not in self.inside and self.old.end[i] > self.old.start[i]:
                frozen[resource].append(i)
        chains: dict[int, list[int]] = defaultdict(list)
        for i in self.part.floating:
            chains[self.old.resource[i]].append(i)
        for resource, intervals in self.intervals.items():
            lanes = self.plant.lanes[resource]
            blocks = self._blocks([i for i in frozen[resource] if self._near(i)])
            bars = [self.model.new_fixed_size_interval_var(a, b - a, "") for a, b in blocks]
            if len(lanes) > 1:
                every = intervals + bars
                self.model.add_cumulative(every, [1] * len(every), len(lanes))
                continue
            self.model.add_no_overlap(intervals + bars)
            chain = sorted(chains[resource], key=lambda i: self.old.start[i])
            for one, two in zip(chain, chain[1:], strict=False):
                self.model.add(self.bars[two].start >= self.bars[one].end)
            if lanes[0].matrix is not None:
                self._add_setups(resource, [i for i in frozen[resource] if self._near(i)])

    def _near(self, i: int) -> bool:
        return self.old.end[i] + 1440 >= self.low and self.old.start[i] <= self.high + 20160

    def _blocks(self, steps: list[int]) -> list[tuple[int, int]]:
        return sorted((self.old.start[i], self.old.end[i]) for i in steps)

    def _add_setups(self, resource: int, frozen: list[int]) -> None:
        """Pairwise changeovers; where the incumbent has less between two, no more is asked."""
        movable = [i for i, bars in self.bars.items() if resource in bars.on]
        lane = self.plant.lanes[resource][0]
        family = [step.family for step in self.plant.steps]
        for one, two in combinations([*movable, *frozen], 2):
            if one in frozen:
                continue
            there = lane.setup(family[one], family[two])
            back = lane.setup(family[two], family[one])
            if there or back:
                self._add_changeover(resource, one, two, there, back)

    def _add_changeover(self, resource: int, one: int, two: int, there: int, back: int) -> None:
        old, model = self.old, self.model
        if old.resource[one] == old.resource[two] == resource:
            if old.start[one] < old.start[two]:
                there = min(there, old.start[two] - old.end[one])
            else:
                back = min(back, old.start[one] - old.end[two])
        literals = [self.bars[one].on[resource]]
        start, end = self.bars[one].start, self.bars[one].end
        other_start: cp_model.LinearExprT = old.start[two]
        other_end: cp_model.LinearExprT = old.end[two]
        if two in self.bars:
            literals.append(self.bars[two].on[resource])
            other_start, other_end = self.bars[two].start, self.bars[two].end
        order = model.new_bool_var("")
        model.add_hint(order, old.start[one] < old.start[two])
        model.add(end + there <= other_start).only_enforce_if([*literals, order])
        model.add(other_end + back <= start).only_enforce_if([*literals, order.negated()])

    # -- objective and answer ------------------------------------------------------------------

    def _add_objective(self) -> None:
        plant, terms, model = self.plant, [], self.model
        for job in {plant.steps[i].job for i in self.inside}:
            last = [i for i in plant.of_job[job] if not self._continues(i)]
            due, weight = plant.problem.jobs[job].due, plant.problem.jobs[job].weight
            moving = [i for i in last if i in self.inside]
            for i in moving:
                terms.append(self.bars[i].end)
            if due is None or not weight or not moving:
                continue
            fixed_end = max((self.old.end[i] for i in last if i not in self.inside), default=0)
            least = max(0, fixed_end - due)
            tardiness = model.new_int_var(least, NO_DUE, "")
            old_end = max(self.old.end[i] for i in last)
            model.add_hint(tardiness, max(0, old_end - due))
            for i in moving:
                model.add(tardiness >= self.bars[i].end - due)
            terms.append(TARDINESS_SCALE * weight * tardiness)
        model.minimize(sum(terms))

    def _continues(self, i: int) -> bool:
        job = self.plant.steps[i].job
        return any(self.plant.steps[after].job == job for after in self.plant.successors[i])

    def solve(
        self, *, seconds: float, effort: float, seed: int, workers: int
    ) -> tuple[list[int], list[int]] | None:
        """New (resource, start) per step, or None when nothing was found in time."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = workers
        solver.parameters.random_seed = seed
        solver.parameters.max_time_in_seconds = seconds
        solver.parameters.max_deterministic_time = effort
        solver.parameters.cp_model_probing_level = 0
        solver.parameters.symmetry_level = 0
        solver.parameters.linearization_level = 0
        solver.parameters.use_hard_precedences_in_cumulative = True
        solver.parameters.use_dynamic_precedence_in_disjunctive = True
        solver.parameters.use_precedences_in_disjunctive_constraint = True
        self.status = status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        resource, start = list(self.old.resource), list(self.old.start)
        for i, bars in self.bars.items():
            start[i] = solver.value(bars.start)
            resource[i] = next(r for r, on in bars.on.items() if solver.boolean_value(on))
        return resource, start
