"""A working week as people type it: a line per weekday, such as ``06:00–14:00, 14:00–22:00``."""

import re
from collections.abc import Iterable, Sequence
from datetime import time

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from common.errors import Refused
from common.intervals import Interval, union
from masterdata.models import Shift

DAY = 24 * 60
WEEK = 7 * DAY
MAX_SHIFTS = 12
_BETWEEN = re.compile(r"[\s,;，；、]+")
_SHIFT = re.compile(r"(\d{1,2})[:：](\d{2})-(\d{1,2})[:：](\d{2})\Z", re.ASCII)
# Dashes and words between two times; Chinese writes 至 or a long dash.
_TO = re.compile(r"\s*(?:[-–—―−~～〜]+|至|到)\s*")


class InvalidWeek(Refused):
    """What is typed is no shift, or two shifts share a minute."""


def parse_day(weekday: int, text: str) -> list[Shift]:
    """The unsaved shifts of a line, by start. Raises InvalidWeek with what cannot be read."""
    words = [word for word in _BETWEEN.split(_TO.sub("-", text.strip())) if word]
    if len(words) > MAX_SHIFTS:
        raise InvalidWeek(_("A day has at most %(most)s shifts.") % {"most": MAX_SHIFTS})
    shifts = [_shift(weekday, word) for word in words]
    return sorted(shifts, key=lambda shift: shift.starts_at)


def day_text(shifts: Iterable[Shift]) -> str:
    """The line of one weekday's shifts; the inverse of ``parse_day``."""
    return ", ".join(
        f"{shift.starts_at:%H:%M}–{_end_text(shift)}"
        for shift in sorted(shifts, key=lambda shift: shift.starts_at)
    )


def check(shifts: Sequence[Shift]) -> None:
    """Raise InvalidWeek where two shifts of the week share a minute, on whatever day."""
    spans = sorted(((_span(shift), shift) for shift in shifts), key=lambda pair: pair[0])
    for (one, before), (other, after) in zip(spans, spans[1:], strict=False):
        if other.start < one.end:
            raise _overlap(before, after)
    if spans and spans[-1][0].end - WEEK > spans[0][0].start:
        raise _overlap(spans[-1][1], spans[0][1])


def windows(shifts: Iterable[Shift]) -> list[Interval]:
    """The working minutes of one week from Monday 00:00, disjoint; Sunday's night wraps round."""
    spans = [_span(shift) for shift in shifts]
    wrapped = [Interval(0, span.end - WEEK) for span in spans if span.end > WEEK]
    return union([*wrapped, *(Interval(span.start, min(span.end, WEEK)) for span in spans)])


def minutes_per_week(shifts: Iterable[Shift]) -> int:
    """Working minutes of an ordinary week."""
    return sum(window.minutes for window in windows(shifts))


def day_windows(shifts: Iterable[Shift]) -> list[list[Interval]]:
    """For each weekday what is worked between its midnights, in minutes of the day."""
    found = windows(shifts)
    return [
        [
            Interval(max(window.start, start) - start, min(window.end, start + DAY) - start)
            for window in found
            if window.start < start + DAY and window.end > start
        ]
        for start in range(0, WEEK, DAY)
    ]


def _shift(weekday: int, word: str) -> Shift:
    match = _SHIFT.match(word)
    if match:
        hours = [int(match[1]), int(match[3])]
        minutes = [int(match[2]), int(match[4])]
        ends_at_midnight = (hours[1], minutes[1]) == (24, 0)
        if hours[0] < 24 and (hours[1] < 24 or ends_at_midnight) and max(minutes) < 60:
            end = time(0) if ends_at_midnight else time(hours[1], minutes[1])
            return Shift(weekday=weekday, starts_at=time(hours[0], minutes[0]), ends_at=end)
    raise InvalidWeek(_("“%(text)s” is no shift; write it like 06:00–14:00.") % {"text": word[:40]})


def _span(shift: Shift) -> Interval:
    start = shift.weekday * DAY + _minute(shift.starts_at)
    length = (_minute(shift.ends_at) - _minute(shift.starts_at)) % DAY or DAY
    return Interval(start, start + length)


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _end_text(shift: Shift) -> str:
    return "24:00" if shift.ends_at == time(0) else f"{shift.ends_at:%H:%M}"


def _overlap(one: Shift, other: Shift) -> InvalidWeek:
    return InvalidWeek(
        _("%(one)s and %(other)s overlap.")
        % {
            "one": f"{WEEKDAYS[one.weekday]} {day_text([one])}",
            "other": f"{WEEKDAYS[other.weekday]} {day_text([other])}",
        }
    )
