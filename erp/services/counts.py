"""Counting the store: what was found in a place becomes its quantity, as a whole session.

A line keeps what the books said when it was counted, so that what moves between counting and
posting is no variance. A variance above the limit waits for another person.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from common import audit, events, numbers, transitions
from common.concurrency import Lock, lock
from common.models import User
from erp import policies_counting as policies
from erp import policies_quarantine as quarantine
from erp import selectors
from erp.enums import COUNT_TRANSITIONS, BinKind, CountState, MoveKind
from erp.events import StockReceived, StockWithheld
from erp.models import Bin, CountLine, CountSession, StockQuant
from erp.policies_counting import CannotCount
from erp.services import booking, reservations, stagings
from erp.services.booking import Entry, Why
from traceability.enums import IdentityState

__all__ = [
    "CannotCount",
    "approve",
    "cancel",
    "enter",
    "freed",
    "rest_is_gone",
    "send_back",
    "start",
    "submit",
]

ZERO = Decimal(0)


def start(*, site_id: int, title: str, by: User | None, now: datetime) -> CountSession:
    """Begin a count of the site's store."""
    with transaction.atomic():
        session = CountSession.objects.create(
            number=numbers.take("CT", now=now),
            site_id=site_id,
            title=title.strip()[:80],
            started_at=now,
            started_by=by,
        )
        audit.record(action="erp.count.start", target=session, by=by, now=now)
    return session


def enter(
    *,
    session: CountSession,
    bin_id: int,
    item_id: int,
    counted: Decimal,
    by: User | None,
    now: datetime,
    lot_id: int | None = None,
    unit_id: int | None = None,
) -> CountLine:
    """Note what was counted in a place; a second count of it replaces the first.

    Raise CannotCount: the session is handed in, or lot, unit and bin do not fit.
    """
    with transaction.atomic():
        session = _locked(session)
        policies.check_can_enter(session)
        place: dict[str, Any] = {
            "bin_id": bin_id,
            "item_id": item_id,
            "lot_id": lot_id,
            "unit_id": unit_id,
        }
        quant = StockQuant.objects.filter(**place).first()
        expected = quant.quantity if quant else ZERO
        policies.check_place_to_count(session, counted=counted, expected=expected, **place)
        line, _made = CountLine.objects.update_or_create(
            session=session,
            **place,
            defaults={
                "expected": expected,
                "counted": counted,
                "counted_at": now,
                "counted_by": by,
            },
        )
        audit.record(
            action="erp.count.enter",
            target=session,
            by=by,
            now=now,
            changes={str(line.pk): [None, str(counted)]},
        )
    return line


def rest_is_gone(*, session: CountSession, bin_id: int, by: User | None, now: datetime) -> int:
    """What the books have in the bin and nobody counted there is not there; return how many.

    Six statements, also for thousands of pieces with serial numbers.
    """
    with transaction.atomic():
        session = _locked(session)
        policies.check_can_enter(session)
        policies.check_is_here(session, bin_id)
        counted = set(
            CountLine.objects.filter(session=session, bin=bin_id).values_list("item", "lot", "unit")
        )
        rest = [
            CountLine(
                session=session,
                bin_id=bin_id,
                item_id=quant.item_id,
                lot_id=quant.lot_id,
                unit_id=quant.unit_id,
                expected=quant.quantity,
                counted=ZERO,
                counted_at=now,
                counted_by=by,
            )
            for quant in StockQuant.objects.filter(bin=bin_id).order_by("pk")
            if (quant.item_id, quant.lot_id, quant.unit_id) not in counted
        ]
        CountLine.objects.bulk_create(rest, batch_size=2000)
        audit.record(
            action="erp.count.enter",
            target=session,
            by=by,
            now=now,
            changes={"lines": [None, len(rest)]},
        )
    return len(rest)


def submit(*, session: CountSession, by: User | None, now: datetime) -> CountSession:
    """Hand the count in: posted at once up to the limit, above it when another person approves.

    The limit holds over a day: of the person, and of the item. What leaves quarantine by it waits
    for quality. Raise CannotCount without a line.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, session.site_id)
        session = _locked(session)
        lines = _lines(session)
        policies.check_can_submit(session, len(lines))
        session.submitted_at, session.submitted_by = now, by
        _move(session, CountState.SUBMITTED)
        audit.record(action="erp.count.submit", target=session, by=by, now=now)
        if _is_small(session, lines, now) and (quarantine.may_free(by) or not freed(lines)):
            _post(session, lines, by, now)
    return session


def approve(*, session: CountSession, by: User | None, now: datetime) -> CountSession:
    """Post a count that waits; raise CannotCount for somebody who counted it or handed it in."""
    with transaction.atomic():
        lock(Lock.SUPPLY, session.site_id)
        session = _locked(session)
        lines = _lines(session)
        policies.check_can_approve(session, {line.counted_by_id for line in lines}, by)
        quarantine.check_may_count_away(freed(lines), by)
        _post(session, lines, by, now)
        audit.record(action="erp.count.approve", target=session, by=by, now=now)
    return session


def send_back(
    *, session: CountSession, reason: str, by: User | None, now: datetime
) -> CountSession:
    """Ask for another count of what was handed in; raise CannotCount without a reason."""
    with transaction.atomic():
        session = _locked(session)
        policies.check_can_send_back(session, reason)
        _move(session, CountState.OPEN)
        audit.record(action="erp.count.send_back", target=session, by=by, now=now, reason=reason)
    return session


def cancel(*, session: CountSession, by: User | None, now: datetime) -> CountSession:
    """Throw the count away; the books stay as they are."""
    with transaction.atomic():
        session = _locked(session)
        policies.check_can_cancel_count(session)
        session.closed_at, session.closed_by = now, by
        _move(session, CountState.CANCELLED)
        audit.record(action="erp.count.cancel", target=session, by=by, now=now)
    return session


def _locked(session: CountSession) -> CountSession:
    return CountSession.objects.select_for_update(no_key=True).get(pk=session.pk)


def _lines(session: CountSession) -> list[CountLine]:
    return list(session.lines.select_related("item", "bin", "lot", "unit").order_by("pk"))


def _move(session: CountSession, new: CountState) -> None:
    transitions.check(COUNT_TRANSITIONS, old=CountState(session.state), new=new)
    session.state = new
    session.save()


def _is_small(session: CountSession, lines: Sequence[CountLine], now: datetime) -> bool:
    """Whether it may be posted without another person: many small counts are one large one.

    What the same person posted alone today counts along, and of the same items what anybody did.
    """
    value = selectors.variance_value(lines)
    if not value:
        return value is not None
    since = selectors.midnight(site_id=session.site_id, now=now)
    earlier = selectors.posted_alone(
        site_id=session.site_id,
        since=since,
        by_id=session.submitted_by_id,
        items=[line.item for line in lines if line.counted != line.expected],
    )
    return earlier is not None and value + earlier <= settings.COUNT_APPROVAL_LIMIT


def _post(
    session: CountSession, lines: Sequence[CountLine], by: User | None, now: datetime
) -> None:
    """Book the differences; what is gone is gone, whoever counted on it."""
    books = _Books(lines)
    entries = [entry for line in lines for entry in _entries(line, books)]
    lost: dict[int, Decimal] = {}
    for entry in entries:
        lost[entry.item_id] = lost.get(entry.item_id, ZERO) - entry.quantity
    quants = StockQuant.objects.filter(bin__in=[line.bin_id for line in lines])
    short = {(e.bin_id, e.item_id, e.lot_id, e.unit_id) for e in entries if e.quantity < 0}
    stagings.clear(
        quant_ids=[
            quant.pk
            for quant in quants.filter(staged__gt=0)
            if (quant.bin_id, quant.item_id, quant.lot_id, quant.unit_id) in short
        ]
    )
    for item_id, quantity in sorted(lost.items()):
        if quantity > 0:
            reservations.give_way(item_id=item_id, site_id=session.site_id, leaving=quantity)
    why = Why(
        MoveKind.COUNT,
        session.number,
        by,
        now,
        document=session.number,
        leaves_as=IdentityState.SCRAPPED,
    )
    booking.book(entries, why=why)
    reservations.give_free(site_id=session.site_id, item_ids=list(lost))
    for item_id, quantity in sorted(lost.items()):
        fact = StockWithheld if quantity > 0 else StockReceived
        events.publish(fact(item_id=item_id, site_id=session.site_id), by=by, now=now)
    session.closed_at, session.closed_by = now, by
    _move(session, CountState.POSTED)


def freed(lines: Sequence[CountLine]) -> list[Bin]:
    """Quarantine bins that something leaves: less was found there, or a unit of it elsewhere."""
    found = [
        line.bin
        for line in lines
        if line.bin.kind == BinKind.QUARANTINE and line.counted < line.expected
    ]
    units = [line.unit_id for line in lines if line.unit_id and line.counted > line.expected]
    locked = StockQuant.objects.filter(unit__in=units, bin__kind=BinKind.QUARANTINE)
    ordinary = {line.unit_id for line in lines if line.bin.kind != BinKind.QUARANTINE}
    return found + [row.bin for row in locked.select_related("bin") if row.unit_id in ordinary]


class _Books:
    """What the books have in the bins that were counted, and of the units wherever they are."""

    def __init__(self, lines: Sequence[CountLine]) -> None:
        units = [line.unit_id for line in lines if line.unit_id is not None]
        here = Q(bin__in={line.bin_id for line in lines}) | Q(unit__in=units)
        quants = list(StockQuant.objects.filter(here))
        self._places = {(q.bin_id, q.item_id, q.lot_id, q.unit_id): q for q in quants}
        self._units = {q.unit_id: q for q in quants if q.unit_id is not None}

    def quantity(self, line: CountLine) -> Decimal:
        """What lies in the line's place now."""
        quant = self._places.get((line.bin_id, line.item_id, line.lot_id, line.unit_id))
        return quant.quantity if quant else ZERO

    def elsewhere(self, line: CountLine) -> StockQuant | None:
        """Where the books have the line's unit instead."""
        quant = self._units.get(line.unit_id) if line.unit_id is not None else None
        return quant if quant is not None and quant.bin_id != line.bin_id else None


def _entries(line: CountLine, books: _Books) -> list[Entry]:
    """The difference of a line; a unit that was booked elsewhere leaves that place."""
    difference = line.counted - line.expected
    if not difference:
        return []
    policies.check_still_there(line, books.quantity(line))
    entries = [Entry(line.bin_id, line.item_id, difference, line.lot_id, line.unit_id)]
    elsewhere = books.elsewhere(line)
    if difference > 0 and elsewhere is not None:
        entries.insert(0, Entry(elsewhere.bin_id, line.item_id, -difference, None, line.unit_id))
    return entries
