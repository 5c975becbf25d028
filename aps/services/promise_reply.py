"""From the solver's answer to the line's: days at the door, sentences and ways out."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from aps.enums import PromiseStatus
from aps.services.doors import Door
from aps.services.live import Live
from aps.services.promise_answers import (
    Alternative,
    AlternativeKind,
    LineAnswer,
    LineRequest,
    Reason,
    ReasonKind,
)
from aps.services.promise_split import Split, Tried
from aps.services.promise_words import Words, day, quantity
from aps.solver import Status
from common.errors import Refused
from masterdata.services import calendars


def refusal(line: LineRequest, refused: Refused) -> LineAnswer:
    """The answer for a line that makes no sense."""
    sentence = str(refused)
    return LineAnswer(
        item_id=line.item_id,
        quantity=line.quantity,
        requested_date=line.requested_date,
        status=PromiseStatus.INFEASIBLE,
        feasible=False,
        reasons=(Reason(ReasonKind.REFUSED, sentence),),
        refusal=sentence,
    )


def reply(
    *,
    line: LineRequest,
    tried: Tried,
    split: Split | None,
    live: Live,
    door: Door,
    now: int,
) -> LineAnswer:
    """The answer in days and words; raises NoShippingTime."""
    answer = tried.answer
    earliest = door.arrival(answer.earliest_finish)
    feasible = answer.status != Status.INFEASIBLE
    on_stock = not tried.exploded.has_work and answer.earliest_finish <= now
    status = PromiseStatus(answer.status.value)
    if feasible and on_stock:
        status = PromiseStatus.FEASIBLE  # it lies there: nothing can delay it
    words = Words(live, door.zone, tried.exploded)
    reasons = [
        *_past(line, door, now),
        *([_on_stock()] if on_stock else words.reasons(answer)),
        *_not_counted(tried, live),
    ]
    has_start = feasible and tried.exploded.has_work and answer.latest_start is not None
    return LineAnswer(
        item_id=line.item_id,
        quantity=line.quantity,
        requested_date=line.requested_date,
        status=status,
        feasible=feasible,
        earliest_date=earliest,
        ready_at=calendars.to_datetime(answer.earliest_finish),
        latest_start=calendars.to_datetime(answer.latest_start or 0) if has_start else None,
        slack_minutes=answer.slack_minutes if feasible else 0,
        reasons=tuple(reasons),
        alternatives=() if feasible else _ways_out(line, earliest, split, door),
        chain=words.chain(answer),
        schedule_version=live.version,
        then="" if feasible else words.then(answer, earliest),
    )


def _past(line: LineRequest, door: Door, now: int) -> list[Reason]:
    if line.requested_date < door.today:
        return [Reason(ReasonKind.PAST, _("The requested date has passed."))]
    if door.latest_ready(line.requested_date) < now:
        text = _("Nothing that leaves from now on arrives by %(day)s.")
        return [Reason(ReasonKind.PAST, text % {"day": day(line.requested_date)})]
    return []


def _on_stock() -> Reason:
    return Reason(ReasonKind.STOCK, _("All of it is on stock."))


def _not_counted(tried: Tried, live: Live) -> list[Reason]:
    """What the answer leaves out, said openly."""
    reasons = []
    if live.run_id is None:
        text = _("No schedule is published yet; every machine counts as free.")
        reasons.append(Reason(ReasonKind.UNPLANNED, text))
    elif live.unplanned:
        text = ngettext(
            "%(count)s open operation is not in the schedule yet and is not counted.",
            "%(count)s open operations are not in the schedule yet and are not counted.",
            live.unplanned,
        )
        reasons.append(Reason(ReasonKind.UNPLANNED, text % {"count": live.unplanned}))
    if tried.exploded.is_coarse:
        text = _("So much is asked at once that its lots are checked as one: it may be sooner.")
        reasons.append(Reason(ReasonKind.COARSE, text))
    for code in sorted(tried.exploded.unplanned):
        text = _("%(item)s is being made, but has no planned date; it is not counted on.")
        reasons.append(Reason(ReasonKind.UNPLANNED, text % {"item": code}, code=code))
    return reasons


def _ways_out(
    line: LineRequest, earliest: date, split: Split | None, door: Door
) -> tuple[Alternative, ...]:
    ways = [
        Alternative(
            AlternativeKind.ACCEPT_DATE,
            _("Take %(day)s, the earliest date.") % {"day": day(earliest)},
            earliest,
            line.quantity,
        )
    ]
    if split is not None:
        rest_date = door.arrival(split.rest_finish)
        facts = {
            "part": quantity(split.part),
            "day": day(line.requested_date),
            "rest": quantity(split.rest),
            "rest_day": day(rest_date),
        }
        ways.append(
            Alternative(
                AlternativeKind.SPLIT,
                _("Split: %(part)s by %(day)s, the other %(rest)s by %(rest_day)s.") % facts,
                line.requested_date,
                split.part,
                split.rest,
                rest_date,
            )
        )
    rush = _("Ask for a rush: the planner sees which orders it would delay.")
    ways.append(Alternative(AlternativeKind.RUSH, rush, line.requested_date, line.quantity))
    return tuple(ways)
