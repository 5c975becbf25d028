"""Capable to promise: can this line be kept, when at the earliest, and why (APICS: CTP)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from aps import solver
from aps.services import doors, live, promise_reply, room, supplies
from aps.services.doors import Door
from aps.services.explosion import MOST_LOTS, CannotCheck
from aps.services.live import Live
from aps.services.promise_answers import (
    Alternative,
    AlternativeKind,
    ChainLink,
    LineAnswer,
    LineRequest,
    Reason,
    ReasonKind,
)
from aps.services.promise_split import Trial, Tried, find_split
from aps.services.supplies import Supplies
from aps.solver import InfeasibleHorizon, Operation, Placement
from aps.solver.occupancy import Overlay
from masterdata import selectors as masterdata
from masterdata.selectors import ItemStructure, StructureCycle
from masterdata.services import calendars
from masterdata.services.shipping import NoShippingTime

__all__ = [
    "Alternative",
    "AlternativeKind",
    "CannotCheck",
    "ChainLink",
    "LineAnswer",
    "LineRequest",
    "Reason",
    "ReasonKind",
    "check",
]

# A line that is feasible with less slack than this, in clock minutes, is at risk.
RISK_MINUTES = 24 * 60
# How far the calendars are read, in days; the next one is tried when the work does not fit.
HORIZON_DAYS = (400, 1100, 2200)
# So many lines of one check are told how they could be split; it costs a few checks each.
MOST_SPLITS = 10
# Operations that one check looks at lot by lot; what comes after is checked in single large lots,
# which is quick and never better, and says so.
MOST_BY_LOT = 3000
# What a horizon that turns out too short costs, in operations.
LOST_TRY = 100


def check(
    *,
    site_id: int,
    customer_id: int | None,
    lines: Sequence[LineRequest],
    now: datetime,
) -> list[LineAnswer]:
    """One answer per line, in order, from the live schedule of the site.

    Lines compete with each other in the order given. Reserves nothing and writes nothing. A line
    that cannot be checked answers with its ``refusal``; an unknown site or customer raises
    CannotCheck.
    """
    if not lines:
        return []
    door = doors.of(site_id=site_id, customer_id=customer_id, now=now)
    structures, broken = _structures(lines, door)
    free = supplies.read(
        site_id=site_id,
        made=[pk for pk, item in structures.items() if item.is_made],
        bought=[pk for pk, item in structures.items() if not item.is_made],
        now=now,
    )
    checking = _Checking(site_id, door, structures, broken, free, now)
    return [checking.answer(line) for line in lines]


def _structures(
    lines: Sequence[LineRequest], door: Door
) -> tuple[dict[int, ItemStructure], dict[int, str]]:
    """What the items are made of, and sentences for those whose structure is broken."""
    item_ids = {line.item_id for line in lines}
    try:
        return masterdata.structures(item_ids=item_ids, on=door.today), {}
    except StructureCycle:
        found: dict[int, ItemStructure] = {}
        broken: dict[int, str] = {}
        for item_id in sorted(item_ids):
            try:
                found |= masterdata.structures(item_ids=[item_id], on=door.today)
            except StructureCycle as cycle:
                broken[item_id] = str(cycle)
        return found, broken


class _Checking:
    """The lines of one check, one after the other; each leaves less for the next."""

    def __init__(
        self,
        site_id: int,
        door: Door,
        structures: Mapping[int, ItemStructure],
        broken: Mapping[int, str],
        free: Supplies,
        now: datetime,
    ) -> None:
        self._site_id = site_id
        self._door = door
        self._structures = structures
        self._broken = broken
        self._supplies = free
        self._now = now
        self._minute = calendars.to_minutes_up(now)
        # What the earlier lines have taken.
        self._taken: list[tuple[Operation, Placement]] = []
        # One version for all lines, whatever is published meanwhile; with what is taken on it.
        self._plants: dict[int, Live] = {}
        self._overlays: dict[int, Overlay] = {}
        self._splits = 0
        self._looked_at = 0

    def answer(self, line: LineRequest) -> LineAnswer:
        """The answer for a line, or its refusal."""
        try:
            self._check_sense(line)
            for days in HORIZON_DAYS:
                try:
                    return self._answer(line, self._plant(days))
                except InfeasibleHorizon:
                    continue
            raise CannotCheck(
                _("The work for this line does not end within %(years)s years.")
                % {"years": HORIZON_DAYS[-1] // 365}
            )
        except (CannotCheck, NoShippingTime) as refused:
            return promise_reply.refusal(line, refused)

    def _check_sense(self, line: LineRequest) -> None:
        if line.item_id in self._broken:
            raise CannotCheck(self._broken[line.item_id])
        if line.item_id not in self._structures:
            raise CannotCheck(_("This item does not exist."))
        if not line.quantity.is_finite() or line.quantity <= 0:
            raise CannotCheck(_("The quantity must be greater than zero."))

    def _answer(self, line: LineRequest, plant: Live) -> LineAnswer:
        is_last = plant is self._plants.get(HORIZON_DAYS[-1])
        if lacking := room.lacking(line, self._structures, self._supplies, plant, self._minute):
            raise CannotCheck(lacking.sentence()) if is_last else InfeasibleHorizon("No room.")
        trial = Trial(
            line=line,
            structures=self._structures,
            supplies=self._supplies,
            live=plant,
            occupancy=self._overlays[id(plant)],
            due=min(self._door.latest_ready(line.requested_date), plant.horizon - 1),
            now=self._minute,
            risk_minutes=RISK_MINUTES,
            most_lots=MOST_LOTS if self._looked_at < MOST_BY_LOT else 1,
        )
        whole = self._tried(trial)
        split = None
        if whole.answer.status == solver.Status.INFEASIBLE and self._splits < MOST_SPLITS:
            self._splits += 1
            split = find_split(trial)
        reply = promise_reply.reply(
            line=line, tried=whole, split=split, live=plant, door=self._door, now=self._minute
        )
        self._supplies = whole.left
        self._take(whole)
        return reply

    def _tried(self, trial: Trial) -> Tried:
        """The line's whole quantity; what is looked at counts, whether it fits or not."""
        try:
            whole = trial.of(trial.line.quantity)
        except InfeasibleHorizon:
            self._looked_at += LOST_TRY
            raise
        self._looked_at += len(whole.exploded.operations)
        return whole

    def _take(self, whole: Tried) -> None:
        """What the line needs is not there for the next ones."""
        mine = {o.id: o for o in whole.exploded.operations}
        taken = [(mine[placed.operation], placed) for placed in whole.answer.forward]
        self._taken += taken
        for overlay in self._overlays.values():
            _put(overlay, taken)

    def _plant(self, days: int) -> Live:
        if days not in self._plants:
            found = live.read(site_id=self._site_id, days=days, now=self._now)
            self._plants[days] = found
            overlay = self._overlays[id(found)] = Overlay(found.occupancy)
            _put(overlay, self._taken)
        return self._plants[days]


def _put(overlay: Overlay, taken: Iterable[tuple[Operation, Placement]]) -> None:
    for operation, placed in taken:
        if placed.resource in overlay.resources:
            overlay.take(operation, placed)
