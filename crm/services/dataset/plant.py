"""Site, calendars, work centers and their rates; machines sized by what has to be made."""

from collections import Counter
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import ceil

from django.utils.translation import gettext as _

from crm.services.dataset import demand, files
from crm.services.dataset.context import Context
from masterdata import selectors as masterdata
from masterdata.services.imports import Row, Table

_FILE = "work_centers.csv"
_STARTS_AT = 6
_SHIFT_HOURS = 8
_WEEK_HOURS = 7 * 24


def weekly_pattern(hours: Fraction) -> tuple[int, Fraction]:
    """Days from Monday, and hours a day, that make up so many hours a week.

    The fewest days from five on with whole shifts of eight hours, else with whole hours, else
    the fewest that suffice: 120 is 5 x 24, 96 is 6 x 16, 108 is 6 x 18, 80 is 5 x 16.
    """
    possible = [days for days in (5, 6, 7) if hours / days <= 24]
    for step in (_SHIFT_HOURS, 1):
        for days in possible:
            if hours / days % step == 0:
                return days, hours / days
    return possible[0], hours / possible[0]


def import_plant(context: Context) -> None:
    """Site, calendars, shifts, work centers and cost rates."""
    table = context.table(_FILE)
    options = context.options
    good = {row.line: hours for row in table.rows if (hours := _hours(row))}
    for row in table.rows:
        if row.line not in good:
            reason = _("“%(text)s” are not hours of a week; write 0 < hours ≤ 168.")
            text = row.cells["available_hours_per_week"]
            context.summary.bad.append(
                table.bad(row, "available_hours_per_week", reason % {"text": text[:40]})
            )
    rows = [row for row in table.rows if row.line in good]
    _calendars(context, set(good.values()))
    site = [
        [options.site, options.site, options.time_zone, _code(context, "DAYS"), options.currency]
    ]
    context.take("sites", _made("code name time_zone calendar currency", site, shipping=True))
    calendars = {line: _code(context, _tag(hours)) for line, hours in good.items()}
    centers = files.translate(table, {"code": "work_center", "name": "name"}, rows)
    centers.columns += ["site", "calendar"]
    for row in centers.rows:
        row.cells |= {"site": options.site, "calendar": calendars[row.line]}
    context.take("work_centers", centers)
    rates = files.translate(
        table,
        {
            "work_center": "work_center",
            "kind": lambda _cells: "machine",
            "amount_per_hour": "cost_rate_per_hour",
            "currency": lambda _cells: options.currency,
            "valid_from": lambda _cells: _beginning(context),
        },
        rows,
    )
    context.take("cost_rates", rates)


def import_units(context: Context) -> None:
    """Machines per work center: as told, else so many that the demand loads them as wanted."""
    site = masterdata.site_by_code(context.options.site)
    hours = {
        row.cells["work_center"]: value
        for row in context.table(_FILE).rows
        if (value := _hours(row))
    }
    centers = [c for c in masterdata.work_centers(site_id=site.pk) if c.code in hours]
    there = Counter(unit.work_center_code for unit in masterdata.active_units(site_id=site.pk))
    load = demand.load(context, {center.pk: center.code for center in centers})
    rows = []
    for center in centers:
        wanted, why = _wanted(context, center.code, load, hours[center.code], there[center.code])
        context.summary.assume(why)
        for number in range(1, wanted + 1):
            rows.append([f"{center.code}-{number}", f"{center.name} {number}", center.code])
    context.take("work_units", _made("code name work_center", rows))


def _wanted(
    context: Context, code: str, load: demand.Load, hours: Fraction, there: int
) -> tuple[int, str]:
    """How many machines a center gets, and the sentence that says why."""
    options = context.options
    minutes = load.minutes.get(code, Decimal(0))
    available = Decimal(ceil(hours * 60 * load.days / 7))
    told = options.units.get(code, options.units_everywhere)
    count = told or there or max(1, ceil(minutes / (available * options.load)))
    facts = {
        "center": code,
        "count": max(count, there),
        "hours": round(minutes / 60),
        "share": round(100 * minutes / (available * max(count, there))),
        "days": load.days,
        "wanted": round(100 * options.load),
    }
    if told:
        sentence = _(
            "%(center)s: %(count)s work units as given; the demand loads them %(share)s %%."
        )
    elif there:
        sentence = _(
            "%(center)s keeps its %(count)s work units; the demand loads them %(share)s %%."
        )
    else:
        sentence = _(
            "%(center)s: %(count)s work units, sized so that %(hours)s hours in %(days)s days"
            " load them at most %(wanted)s %% (now %(share)s %%)."
        )
    return max(count, there), sentence % facts


def _calendars(context: Context, weeks: set[Fraction]) -> None:
    zone = context.options.time_zone
    days_code = _code(context, "DAYS")
    named = [[days_code, _("Monday to Friday, 08:00 to 17:00"), zone]]
    shifts = [[days_code, str(day), "08:00", "17:00"] for day in range(5)]
    for hours in sorted(weeks):
        days, daily = weekly_pattern(hours)
        code = _code(context, _tag(hours))
        name = _("%(days)s days of %(hours)s h, from 06:00")
        named.append([code, name % {"days": days, "hours": f"{float(daily):g}"}, zone])
        for day in range(days):
            shifts += [[code, *shift] for shift in _shifts(day, daily)]
        context.summary.assume(
            _("%(hours)s hours a week are %(days)s days from Monday, %(daily)s hours from 06:00.")
            % {"hours": f"{float(hours):g}", "days": days, "daily": f"{float(daily):g}"}
        )
    context.take("calendars", _made("code name time_zone", named))
    context.take("shifts", _made("calendar weekday starts_at ends_at", shifts))
    context.summary.assume(
        _(
            "Site %(site)s, time zone %(zone)s, money in %(currency)s; goods leave Monday to"
            " Friday, 08:00 to 17:00, and reach every customer the same day (no transit"
            " days are recorded)."
        )
        % {"site": context.options.site, "zone": zone, "currency": context.options.currency}
    )


def _shifts(day: int, daily: Fraction) -> list[list[str]]:
    """Shifts of at most eight hours from six in the morning, each on the weekday it begins."""
    found = []
    done = Fraction(0)
    while done < daily:
        length = min(Fraction(_SHIFT_HOURS), daily - done)
        start = int((_STARTS_AT + done) * 60)
        end = int((_STARTS_AT + done + length) * 60)
        weekday = (day + start // 1440) % 7
        found.append([str(weekday), _clock(start), _clock(end)])
        done += length
    return found


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def _hours(row: Row) -> Fraction | None:
    try:
        hours = Fraction(Decimal(row.cells["available_hours_per_week"]))
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return hours if 0 < hours <= _WEEK_HOURS else None


def _tag(hours: Fraction) -> str:
    return f"{float(hours):g}H"


def _code(context: Context, tag: str) -> str:
    return f"{context.options.site}-{tag}"


def _beginning(context: Context) -> str:
    """The day from which rates and routings count: the first day of any BOM line."""
    first = files.first_day(context.table("bom_lines.csv"), "valid_from")
    return (first or context.now.date()).isoformat()


def _made(columns: str, rows: list[list[str]], *, shipping: bool = False) -> Table:
    """A table that stands in no file: what the data leave out."""
    names = columns.split()
    cells = [dict(zip(names, row, strict=True)) for row in rows]
    if shipping:
        names.append("shipping_calendar")
        for row in cells:
            row["shipping_calendar"] = row["calendar"]
    table_rows = [Row(number, row) for number, row in enumerate(cells, start=1)]
    return Table(_FILE, names, table_rows)
