"""The day itself: who does what at which of the factory's minutes, and at what speed."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from common.errors import Refused
from common.models import User
from crm.demo import loading
from crm.demo.day.floor import Floor
from crm.demo.day.office import Office
from crm.demo.day.stage import Stage
from crm.demo.day.trouble import Trouble
from masterdata import selectors as masterdata
from mes.services.machine_simulation import Machines

DAY_MINUTES = 480
# A day of eight hours in five minutes.
SPEED = 96.0
STEP = 5


class CannotPlay(Refused):
    """The database holds something else than the demo factory."""


@dataclass(frozen=True)
class Played:
    """How much happened."""

    acts: int
    refusals: int
    minutes: int


def _clock() -> datetime:
    return timezone.now()


def _nothing() -> object:
    return None


def play(
    *,
    say: Callable[[str], None],
    seed: int = 1,
    speed: float = SPEED,
    minutes: int = DAY_MINUTES,
    step: int = STEP,
    stop: threading.Event | None = None,
    work: Callable[[], object] = _nothing,
) -> Played:
    """Play the factory's day, or the first ``minutes`` of it; raise CannotPlay over real data.

    ``speed``: the factory's minutes in a minute of the clock; 0 does not wait at all. ``work`` is
    called after each look, for who has no worker that runs jobs. Once ``stop`` is set the shift
    ends: nothing stays half done. The same seed makes the same choices.
    """
    if not loading.is_demo():
        raise CannotPlay(
            "This database holds other data than the demo factory; a simulated day would be mixed "
            "into it. Start one with an empty database: make run."
        )
    stop = stop or threading.Event()
    stage = Stage(
        site_id=masterdata.default_site().pk,
        users={user.username: user for user in User.objects.filter(is_active=True)},
        chance=random.Random(seed),  # noqa: S311 - play
        say=say,
        now=_clock,
        step=step,
    )
    day = _Day(stage)
    day.floor.open()
    begun = time.monotonic()
    try:
        while stage.minute < minutes and not stop.is_set():
            day.look()
            work()
            stage.minute += step
            if speed > 0:
                due = begun + stage.minute * 60 / speed
                stop.wait(max(0.0, due - time.monotonic()))
    finally:
        day.end()
    work()
    return Played(stage.acts, stage.refusals, stage.minute)


class _Day:
    """What happens at which minute, beside the work at the machines."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.floor = Floor(stage)
        self.office = Office(stage)
        # Of their own chance: what machines measure does not change what people choose.
        self.machines = Machines(random.Random(stage.chance.random()))  # noqa: S311 - play
        self.trouble = Trouble(stage, self.floor, self.machines)
        self.timetable: dict[int, Callable[[], None]] = {
            20: self.office.order,
            40: self.office.receive,
            60: self.office.buy,
            90: self.office.ask_for_a_rush,
            120: self.trouble.begin,
            135: self.trouble.answer,
            180: self.office.receive,
            225: self.trouble.end,
            260: self.office.order,
            300: self.office.ship,
            345: self.office.receive,
            420: self.office.ship,
        }

    def look(self) -> None:
        """Everything that happens within one step."""
        stage = self.stage
        for minute, happens in sorted(self.timetable.items()):
            if stage.minute <= minute < stage.minute + stage.step:
                happens()
        self.office.decide_the_rush()
        self.floor.work()
        self.machines.speak(now=stage.now())

    def end(self) -> None:
        """Nothing that the day began stays open: machines, rush, people."""
        self.trouble.end()
        self.office.give_up_the_rush()
        self.floor.close()
        self.machines.speak(now=self.stage.now())
