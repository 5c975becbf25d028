"""The people at the machines: sign in, set up, run, report, pause, check, finish, go home."""

from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from common.enums import Role
from common.models import User
from crm.demo import people
from crm.demo.day.stage import Stage
from masterdata import selectors as masterdata
from masterdata.enums import RunBasis
from mes import selectors as mes
from mes.enums import OperationState, ReasonKind
from mes.services import badges, breakdowns, checks, execution, terminals, undoing
from mes.services import people as at_work

ZERO = Decimal(0)
# Chances of a look at a machine: a pause, and of a report: scrap, rework, a slip.
PAUSE, SCRAP, REWORK, SLIP = 0.01, 0.08, 0.04, 0.02
PAUSE_MINUTES = 20
# From this factory minute on whoever works has the meal.
MEAL = 240
# Pieces are reported when so many factory minutes have passed, or when they are all made.
REPORT_EVERY = 20
SHOWN_JOBS = 12


@dataclass
class Station:
    """A machine and who minds it."""

    unit: masterdata.UnitInfo
    person: User
    # Until when setup or a pause lasts, and since when pieces were not reported.
    until: int = 0
    reported: int = 0
    made: Decimal = ZERO
    has_eaten: bool = False
    # Operations that were refused here: others come first.
    left_alone: set[int] = field(default_factory=set)


class Floor:
    """All machines of the site."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.stations: list[Station] = []
        self.terminal: Any = None
        self.reasons = mes.reasons(*ReasonKind)

    def open(self) -> None:
        """Register a terminal, let everybody with a badge sign in, and share the machines."""
        stage = self.stage
        self.terminal, _token = terminals.register(
            name="Simulated terminal",
            site_id=stage.site_id,
            work_unit_id=None,
            by=stage.by(Role.SUPERVISOR),
            now=stage.now(),
        )
        here = []
        for username, (number, _pin) in people.FLOOR.items():
            if username in stage.users and Role.SUPERVISOR.value != username:
                person = stage.users[username]
                if stage.act(
                    f"{_name(person)} signs in",
                    badges.sign_in,
                    terminal=self.terminal,
                    code=f"BADGE-{number}",
                ):
                    here.append(person)
        units = masterdata.active_units(site_id=stage.site_id) if here else []
        self.stations = [
            Station(unit, here[number % len(here)]) for number, unit in enumerate(units)
        ]

    def close(self) -> None:
        """End of the shift: what runs is paused, everybody leaves, the terminal is revoked."""
        stage = self.stage
        for station in self.stations:
            operation = mes.running_on(station.unit.id)
            if operation is not None:
                stage.act(
                    f"{station.unit.code}: {_job(operation)} rests until the next shift",
                    execution.interrupt,
                    operation=operation,
                    reason="End of the shift",
                    by=station.person,
                )
        for person in dict.fromkeys(station.person for station in self.stations):
            stage.act(f"{_name(person)} goes home", at_work.go_home, by=person)
        if self.terminal is not None:
            terminals.revoke(terminal=self.terminal, by=stage.by(Role.SUPERVISOR), now=stage.now())

    def work(self) -> None:
        """A look at every machine."""
        for station in self.stations:
            if breakdowns.standing(station.unit.id) is None:
                self._work(station)

    def _work(self, station: Station) -> None:
        rows = mes.dispatch_list(work_unit_id=station.unit.id, limit=SHOWN_JOBS)
        row = _in_hand(rows, station)
        if row is None:
            self._begin(station, rows)
            return
        state = row.operation.state
        if state == OperationState.RUNNING:
            self._run(station, row)
        elif self.stage.minute < station.until:
            return
        elif state == OperationState.SETUP:
            self._act(station, "is set up, the run begins", execution.run, row.operation)
        elif not self._act(station, "goes on", execution.resume, row.operation):
            station.left_alone.add(row.operation.pk)

    def _begin(self, station: Station, rows: list[mes.DispatchRow]) -> None:
        """Start the first job of the list that may start."""
        for row in rows:
            operation = row.operation
            if not row.is_startable or operation.pk in station.left_alone:
                continue
            needs_setup = operation.setup_minutes > 0
            if self._act(
                station,
                "is set up" if needs_setup else "starts",
                execution.start,
                operation,
                work_unit_id=station.unit.id,
                in_setup=needs_setup,
            ):
                station.until = self.stage.minute + int(operation.setup_minutes)
                station.reported, station.made = station.until, ZERO
                return
            station.left_alone.add(operation.pk)

    def _run(self, station: Station, row: mes.DispatchRow) -> None:
        operation, chance = row.operation, self.stage.chance
        left = row.open_quantity - operation.rework
        if left <= 0:
            self._end(station, row)
            return
        is_hungry = self.stage.minute >= MEAL and not station.has_eaten
        if chance.random() < PAUSE or is_hungry:
            station.has_eaten |= is_hungry
            self._pause(station, row)
            return
        per_piece = operation.run_minutes
        if operation.run_basis != RunBasis.PER_PIECE:
            per_piece = operation.run_minutes / max(left, Decimal(1))
        pace = Decimal(str(round(chance.uniform(0.85, 1.1), 3)))
        station.made += self.stage.step * pace / max(per_piece, Decimal("0.05"))
        whole = min(left, station.made.to_integral_value(rounding=ROUND_FLOOR))
        due = self.stage.minute - station.reported >= REPORT_EVERY
        if whole >= 1 and (due or whole == left):
            self._report(station, operation, whole)

    def _report(self, station: Station, operation: Any, pieces: Decimal) -> None:
        chance = self.stage.chance
        scrap = Decimal(pieces > 1 and chance.random() < SCRAP)
        rework = Decimal(pieces > 2 and chance.random() < REWORK)
        good = pieces - scrap - rework
        said = f"{good.normalize():f} good"
        said += f", {scrap:f} scrap" if scrap else ""
        said += f", {rework:f} to be reworked" if rework else ""
        kind = ReasonKind.SCRAP if scrap else ReasonKind.REWORK
        known = self.reasons[kind] if scrap or rework else []
        if self._act(
            station,
            said,
            execution.report,
            operation,
            good=good,
            scrap=scrap,
            rework=rework,
            reason_code=chance.choice(known) if known else None,
        ):
            station.made -= pieces
            station.reported = self.stage.minute
            self._check(station, operation)
            if chance.random() < SLIP:
                self._undo(station, operation, pieces)

    def _undo(self, station: Station, operation: Any, pieces: Decimal) -> None:
        job = mes.unit_work(work_unit_id=station.unit.id, chosen=operation.pk).job
        if job is None or job.last_report is None:
            return
        what = f"{_at(station)}: {_job(operation)}: a slip, the last report is taken back"
        if self.stage.act(what, undoing.undo, report=job.last_report, by=station.person):
            station.made += pieces

    def _check(self, station: Station, operation: Any) -> None:
        """Answer what is due by now: good values, mostly in the middle of their limits."""
        for row in mes.check_standings(operation):
            for _number in range(min(row.missing, 5)):
                value, is_good = _answer(row.check, self.stage)
                said = f"{value.normalize():f} {row.check.unit}" if value is not None else "passes"
                what = f"{_at(station)}: {_job(operation)}: {row.check.name}: {said}"
                self.stage.act(
                    what,
                    checks.record,
                    check=row.check,
                    value=value,
                    is_good=is_good,
                    by=station.person,
                )

    def _end(self, station: Station, row: mes.DispatchRow) -> None:
        operation = row.operation
        if operation.rework > 0:
            back = f"{operation.rework.normalize():f} good, back from rework"
            self._act(
                station, back, execution.report, operation, good=operation.rework, from_rework=True
            )
            return
        self._check(station, operation)
        if self._act(station, "is finished", execution.finish, operation):
            station.made = ZERO

    def _pause(self, station: Station, row: mes.DispatchRow) -> None:
        known = self.reasons[ReasonKind.PAUSE]
        reason = self.stage.chance.choice(known) if known else None
        said = f"pauses ({reason.name})" if reason else "pauses"
        if self._act(station, said, execution.interrupt, row.operation, reason_code=reason):
            station.until = self.stage.minute + PAUSE_MINUTES

    def _act(
        self, station: Station, said: str, service: Any, operation: Any, **arguments: Any
    ) -> bool:
        what = f"{_at(station)}: {_job(operation)} {said}"
        return bool(
            self.stage.act(what, service, operation=operation, by=station.person, **arguments)
        )


def _in_hand(rows: list[mes.DispatchRow], station: Station) -> mes.DispatchRow | None:
    """What is set up or runs at the machine, else what was interrupted there."""
    for states in (
        (OperationState.SETUP, OperationState.RUNNING),
        (OperationState.INTERRUPTED,),
    ):
        for row in rows:
            operation = row.operation
            if (
                operation.state in states
                and operation.work_unit_id == station.unit.id
                and operation.pk not in station.left_alone
            ):
                return row
    return None


def _answer(check: Any, stage: Stage) -> tuple[Decimal | None, bool | None]:
    """A value within the limits, or a pass."""
    limits = [limit for limit in (check.lower, check.upper) if limit is not None]
    if not limits:
        return None, True
    middle = check.target if check.target is not None else sum(limits, ZERO) / len(limits)
    # One limit alone leaves no room to both sides: its own value is good.
    spread = (limits[-1] - limits[0]) / 8
    value = middle + spread * Decimal(str(round(stage.chance.uniform(-1, 1), 2)))
    return min(max(value.quantize(Decimal("0.01")), limits[0]), limits[-1]), None


def _name(person: User) -> str:
    return person.get_full_name() or person.get_username()


def _at(station: Station) -> str:
    return f"{station.unit.code} ({_name(station.person)})"


def _job(operation: Any) -> str:
    return f"{operation.work_order.number}/{operation.sequence} {operation.name}"
