"""One breakdown: the machine says so, the operator calls, the plan works around it, it recovers."""

from datetime import timedelta

from common.enums import Role
from crm.demo.day.floor import Floor, Station
from crm.demo.day.stage import Stage
from mes import selectors as mes
from mes.enums import AndonKind
from mes.services import andon, breakdowns
from mes.services.machine_simulation import Machines

ESTIMATE = timedelta(hours=4)
# The machine says that it is down until the repair is done, whenever that is.
MANY_ROUNDS = 10_000


class Trouble:
    """The breakdown of the day."""

    def __init__(self, stage: Stage, floor: Floor, machines: Machines) -> None:
        self.stage = stage
        self.floor = floor
        self.machines = machines
        self.station: Station | None = None

    def begin(self) -> None:
        """A machine that runs fails; its operator calls and says how long it will take."""
        busy = [one for one in self.floor.stations if mes.running_on(one.unit.id) is not None]
        if not busy:
            self.stage.refused("A breakdown", "No machine runs.")
            return
        station = self.stage.chance.choice(busy)
        self.machines.fail(station.unit.id, rounds=MANY_ROUNDS)
        self.machines.speak(now=self.stage.now())
        unplanned = [row for row in mes.active_reasons() if row.loss == "unplanned"]
        now = self.stage.now()
        if self.stage.act(
            f"{station.unit.code} is down; alarm, back in about 4 hours",
            breakdowns.report,
            work_unit_id=station.unit.id,
            estimated_ends_at=now + ESTIMATE,
            reason=self.stage.chance.choice(unplanned) if unplanned else None,
            note="Simulated",
            by=station.person,
        ):
            self.station = station

    def answer(self) -> None:
        """The supervisor takes the call."""
        if self.station is None:
            return
        call = andon.open_call(self.station.unit.id, AndonKind.MACHINE_DOWN)
        if call is not None:
            self.stage.act(
                f"The supervisor is on the way to {self.station.unit.code}",
                andon.acknowledge,
                call=call,
                by=self.stage.by(Role.SUPERVISOR),
            )

    def end(self) -> None:
        """It runs again; what was interrupted goes on."""
        if self.station is None:
            return
        station, self.station = self.station, None
        self.machines.fail(station.unit.id, rounds=0)
        downtime = breakdowns.standing(station.unit.id)
        if downtime is not None:
            self.stage.act(
                f"{station.unit.code} runs again",
                breakdowns.recover,
                incident=downtime.incident,
                by=self.stage.by(Role.SUPERVISOR),
            )
