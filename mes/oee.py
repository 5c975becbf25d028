"""Overall equipment effectiveness after ISO 22400-2. No Django in here.

availability = actual production time / planned busy time
effectiveness = planned run time per item x produced quantity / actual production time
quality ratio = good quantity / produced quantity
OEE = availability x effectiveness x quality ratio
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from common.intervals import Interval, intersect, subtract, union

ZERO = Decimal(0)


@dataclass(frozen=True)
class Facts:
    """What is known of a unit in a shift; spans in minutes since 1970."""

    # Planned busy time: the calendar, planned stops taken off.
    planned: tuple[Interval, ...] = ()
    stopped: tuple[Interval, ...] = ()
    setup: tuple[Interval, ...] = ()
    # When it produced, as far as it is known; stops and setup within do not count.
    produced: tuple[Interval, ...] = ()
    # Sum over the pieces reported, good or not, of the planned run time of each.
    ideal_minutes: Decimal = ZERO
    good: Decimal = ZERO
    scrap: Decimal = ZERO


@dataclass(frozen=True)
class Oee:
    """Minutes and ratios; a ratio is None where nothing can be said."""

    planned: int = 0
    stopped: int = 0
    setup: int = 0
    idle: int = 0
    producing: int = 0
    ideal: Decimal = ZERO
    good: Decimal = ZERO
    scrap: Decimal = ZERO
    # Of the ideal minutes those that went into good pieces.
    valuable: Decimal = field(default=ZERO)

    @property
    def availability(self) -> Decimal | None:
        return _ratio(Decimal(self.producing), Decimal(self.planned))

    @property
    def effectiveness(self) -> Decimal | None:
        return _ratio(self.ideal, Decimal(self.producing))

    @property
    def quality(self) -> Decimal | None:
        return _ratio(self.good, self.good + self.scrap)

    @property
    def oee(self) -> Decimal | None:
        """The product; 0 where time was planned and nothing was produced."""
        if not self.planned:
            return None
        if not self.producing or not self.good + self.scrap:
            return ZERO
        a, e, q = self.availability, self.effectiveness, self.quality
        return a * e * q if a is not None and e is not None and q is not None else None

    @property
    def speed_loss(self) -> Decimal:
        """Minutes produced in that the planned run times do not explain; 0 where it was faster."""
        return max(self.producing - self.ideal, ZERO)

    @property
    def quality_loss(self) -> Decimal:
        """Planned minutes of pieces that were scrapped."""
        return self.ideal - self.valuable


@dataclass(frozen=True)
class Work:
    """Spans of setup and of production, each as told by one side."""

    setup: tuple[Interval, ...] = ()
    produced: tuple[Interval, ...] = ()


def believed(said: Work, said_otherwise: Iterable[Interval], booked: Work) -> Work:
    """What a unit did: where its machine says something that counts, else where people booked.

    ``said_otherwise`` is when the machine said that it did neither: idle, down or off.
    """
    heard = union([*said.setup, *said.produced, *said_otherwise])
    return Work(
        setup=tuple(union([*said.setup, *subtract(booked.setup, heard)])),
        produced=tuple(union([*said.produced, *subtract(booked.produced, heard)])),
    )


def measure(facts: Facts) -> Oee:
    """The figures of a unit in a shift. Each planned minute counts once: as a stop, else as setup,
    else as production, else as idle."""
    planned = union(facts.planned)
    stopped = intersect(planned, union(facts.stopped))
    rest = subtract(planned, stopped)
    setup = intersect(rest, union(facts.setup))
    rest = subtract(rest, setup)
    producing = intersect(rest, union(facts.produced))
    made = facts.good + facts.scrap
    return Oee(
        planned=_minutes(planned),
        stopped=_minutes(stopped),
        setup=_minutes(setup),
        idle=_minutes(subtract(rest, producing)),
        producing=_minutes(producing),
        ideal=facts.ideal_minutes,
        good=facts.good,
        scrap=facts.scrap,
        valuable=facts.ideal_minutes * facts.good / made if made else ZERO,
    )


def total(rows: Iterable[Oee]) -> Oee:
    """Several units or shifts as one: minutes and pieces are added, ratios follow from the sums."""
    found = list(rows)
    return Oee(
        planned=sum(row.planned for row in found),
        stopped=sum(row.stopped for row in found),
        setup=sum(row.setup for row in found),
        idle=sum(row.idle for row in found),
        producing=sum(row.producing for row in found),
        ideal=sum((row.ideal for row in found), ZERO),
        good=sum((row.good for row in found), ZERO),
        scrap=sum((row.scrap for row in found), ZERO),
        valuable=sum((row.valuable for row in found), ZERO),
    )


def _ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    return part / whole if whole else None


def _minutes(intervals: Iterable[Interval]) -> int:
    return sum(interval.minutes for interval in intervals)
