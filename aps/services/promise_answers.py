"""What a promise check is asked and what it answers, in words and dates."""

import enum
from dataclasses import dataclass
from datetime import date as Day  # a field below is called date
from datetime import datetime
from decimal import Decimal

from aps.enums import PromiseStatus


@dataclass(frozen=True, slots=True)
class LineRequest:
    """One order line to check: the day is wanted at the customer's door."""

    item_id: int
    quantity: Decimal
    requested_date: Day


class ReasonKind(enum.StrEnum):
    """What holds a line up, or what should be known about its answer."""

    CAPACITY = "capacity"
    MATERIAL = "material"
    CALENDAR = "calendar"
    POOL = "pool"  # people with a skill, or a tool
    WAIT = "wait"  # the pieces cool or dry
    MINIMUM = "minimum"  # nothing waits: the work itself takes that long
    PAST = "past"  # the requested day is over, or cannot be reached any more
    STOCK = "stock"  # all of it comes from stock or from work under way
    UNPLANNED = "unplanned"  # open work that the live schedule does not hold yet
    COARSE = "coarse"  # lots were checked as one, which is never better
    REFUSED = "refused"


_WAITS = (
    ReasonKind.CAPACITY,
    ReasonKind.MATERIAL,
    ReasonKind.CALENDAR,
    ReasonKind.POOL,
    ReasonKind.WAIT,
)


class AlternativeKind(enum.StrEnum):
    ACCEPT_DATE = "accept_date"
    SPLIT = "split"
    RUSH = "rush"


@dataclass(frozen=True, slots=True)
class Reason:
    """A cause in the user's language; ``code`` names the work center, item, skill or tool."""

    kind: ReasonKind
    text: str
    until: datetime | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A way out. ``split``: ``quantity`` keeps ``date``; the rest comes on ``rest_date``."""

    kind: AlternativeKind
    text: str
    date: Day | None = None
    quantity: Decimal | None = None
    rest_quantity: Decimal | None = None
    rest_date: Day | None = None


@dataclass(frozen=True, slots=True)
class ChainLink:
    """A stretch of the chain that decides the earliest date, from now to readiness."""

    kind: str  # work, capacity, calendar, material, precedence, pool, wait
    starts_at: datetime
    ends_at: datetime
    item_code: str
    text: str
    work_unit_id: int | None = None


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """Whether a line's day can be kept, and why; dates are days at the customer's door.

    A line that makes no sense carries ``refusal``, a sentence, and nothing else. ``latest_start``
    is when its work has to begin to keep the day (None when it cannot be kept or needs no work);
    ``slack_minutes`` are clock minutes, 0 when the day cannot be kept.
    """

    item_id: int
    quantity: Decimal
    requested_date: Day
    status: PromiseStatus
    feasible: bool
    earliest_date: Day | None = None
    ready_at: datetime | None = None
    latest_start: datetime | None = None
    slack_minutes: int = 0
    reasons: tuple[Reason, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    chain: tuple[ChainLink, ...] = ()
    schedule_version: int | None = None
    refusal: str = ""
    # What lies between the end of the first wait and the earliest date, "" where there is none.
    then: str = ""

    @property
    def sentences(self) -> list[str]:
        """The reasons as they are read one after the other, ``then`` behind the wait it goes on."""
        told = [reason.text for reason in self.reasons]
        if self.then:
            waits = [place for place, reason in enumerate(self.reasons) if reason.kind in _WAITS]
            told.insert(waits[0] + 1 if waits else len(told), self.then)
        return told
