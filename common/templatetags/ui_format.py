"""Dates, quantities and money as people read them, in both languages."""

from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from django.utils import dateformat, timezone
from django.utils.translation import get_language, gettext, gettext_noop, ngettext, pgettext

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "CNY": "¥"}

# Django's Chinese has one word for a day, long or short; so that our catalogue has the short one.
SHORT_DAYS = [
    gettext_noop("Mon"),
    gettext_noop("Tue"),
    gettext_noop("Wed"),
    gettext_noop("Thu"),
    gettext_noop("Fri"),
    gettext_noop("Sat"),
    gettext_noop("Sun"),
]


def zone_of(zone: str | tzinfo | None) -> tzinfo:
    """The zone by name, itself, or the active one (the site's, set by the middleware)."""
    if isinstance(zone, str) and zone:
        return ZoneInfo(zone)
    return zone if isinstance(zone, tzinfo) else timezone.get_current_timezone()


def local(value: date | datetime, zone: str | tzinfo | None = None) -> date | datetime:
    """A moment in the zone's wall time; a day is returned as it is."""
    if isinstance(value, datetime) and timezone.is_aware(value):
        return value.astimezone(zone_of(zone))
    return value


def _chinese() -> bool:
    return (get_language() or "").startswith("zh")


def day(value: date | datetime, zone: str | tzinfo | None = None, *, short: bool = False) -> str:
    """ "Tue 14 Oct 2026"; short leaves out weekday and this year: "14 Oct"."""
    at = local(value, zone)
    if short:
        this_year = at.year == timezone.localdate(timezone=zone_of(zone)).year
        if _chinese():
            return dateformat.format(at, "n月j日" if this_year else "Y年n月j日")
        return dateformat.format(at, "j M" if this_year else "j M Y")
    return dateformat.format(at, "Y年n月j日 D" if _chinese() else "D j M Y")


def moment(value: datetime, zone: str | tzinfo | None = None) -> str:
    """ "14 Oct 2026, 14:30" in the zone's wall time."""
    at = local(value, zone)
    return dateformat.format(at, "Y年n月j日 H:i" if _chinese() else "j M Y, H:i")


def days_from_now(value: date | datetime, zone: str | tzinfo | None = None) -> int:
    """Whole calendar days from today in the zone; negative in the past."""
    at = local(value, zone)
    that_day = at.date() if isinstance(at, datetime) else at
    return (that_day - timezone.localdate(timezone=zone_of(zone))).days


def in_days(value: date | datetime, zone: str | tzinfo | None = None) -> str:
    """ "in 28 days", "tomorrow", "today", "yesterday", "3 days ago"."""
    return days_phrase(days_from_now(value, zone))


def days_phrase(days: int) -> str:
    """The same from a number of days."""
    near = {0: gettext("today"), 1: gettext("tomorrow"), -1: gettext("yesterday")}
    if days in near:
        return near[days]
    if days > 0:
        return ngettext("in %(n)d day", "in %(n)d days", days) % {"n": days}
    return ngettext("%(n)d day ago", "%(n)d days ago", -days) % {"n": -days}


# Units whose code nobody says aloud.
_UNITS = {"EA": gettext_noop("pcs")}


def quantity(value: object, unit: str = "") -> str:
    """ "5,000 pcs", "2.5 kg": grouped by thousands in both languages, no trailing zeros."""
    number = _decimal(value)
    if number is None:
        return ""
    text = f"{number:,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = text.replace("-", "\N{MINUS SIGN}") if number else "0"
    spoken = gettext(_UNITS[unit]) if unit in _UNITS else unit
    return f"{text}\N{NO-BREAK SPACE}{spoken}" if unit else text


def money(value: object, currency: str = "", *, places: int = 2) -> str:
    """ "€1,234.50"; a currency without a symbol of its own follows: "1,234.50 CHF"."""
    number = _decimal(value)
    if number is None:
        return ""
    sign = "\N{MINUS SIGN}" if number < 0 else ""
    text = f"{abs(number):,.{places}f}"
    if currency in _SYMBOLS:
        return f"{sign}{_SYMBOLS[currency]}{text}"
    return f"{sign}{text}\N{NO-BREAK SPACE}{currency}" if currency else f"{sign}{text}"


def unit_price(value: object, currency: str = "") -> str:
    """Money for one of something: "€0.0125", "€1,234.50"; two places or up to four."""
    number = _decimal(value)
    if number is None:
        return ""
    exponent = number.normalize().as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 2
    return money(number, currency, places=min(max(places, 2), 4))


def minutes(value: object) -> str:
    """Minutes as "3 h 20 min"; under an hour "20 min"."""
    number = _decimal(value)
    if number is None:
        return ""
    hours, rest = divmod(round(abs(number)), 60)
    sign = "\N{MINUS SIGN}" if number < 0 else ""
    h, m = pgettext("hours, unit", "h"), pgettext("minutes, unit", "min")
    space = "\N{NO-BREAK SPACE}"
    parts = [f"{hours:,}{space}{h}"] if hours else []
    if rest or not hours:
        parts.append(f"{rest}{space}{m}")
    return sign + space.join(parts)


def _decimal(value: object) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def door_shift(days: int | None, clock_minutes: int | None) -> str:
    """ "3 days later" at the customer's door; what stays on its day is told in hours at our dock.

    "" where one of both plans has no date.
    """
    if days is None:
        return ""
    if days > 0:
        return ngettext("%(n)s day later", "%(n)s days later", days) % {"n": days}
    if days < 0:
        return ngettext("%(n)s day earlier", "%(n)s days earlier", -days) % {"n": -days}
    told = {"duration": minutes(abs(clock_minutes or 0))}
    if (clock_minutes or 0) > 0:
        return gettext("same day, %(duration)s later at our dock") % told
    return gettext("same day, %(duration)s earlier at our dock") % told
