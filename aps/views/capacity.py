"""Capacity by work center and week, and for whom it is planned; as a page and as CSV."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from aps import selectors
from aps.forms import CapacityFilter
from aps.selectors import Capacity, CenterCapacity, WeekLoad
from aps.views.place import place_of, tells_of_idle_sites
from common.access import requires
from masterdata import selectors as masterdata

USUAL_WEEKS = 6
HOUR = 60
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Cell:
    """A week of a line of the table, in whole hours."""

    monday: date
    loaded: int
    available: int
    free: int
    percent: float
    is_over: bool
    is_full: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A work center, or a customer within it, over the weeks."""

    code: str
    name: str
    cells: tuple[Cell, ...]
    is_customer: bool = False


FULL_PERCENT = 90
# Work centers with a week as full as this are shown at once, the others on demand.
LOADED_PERCENT = 60
# Fewer than this are not worth folding away.
LEAST_FOLDED = 3
# So many customers stand below a work center by themselves, the others in one line.
MOST_CUSTOMERS = 3


@requires("aps.view_schedule")
@require_safe
@tells_of_idle_sites
def capacity(request: HttpRequest) -> HttpResponse:
    """``?from=&weeks=&center=&customer=``; ``format=csv`` answers a file."""
    place = place_of(request)
    site_id = place.pk
    if site_id is None:
        return render(request, "aps/capacity.html", {"no_site": True})
    now = timezone.now()
    monday, weeks = _span(request, now)
    center = request.GET.get("center", "").replace("\x00", "")
    found = selectors.capacity(
        site_id=site_id, monday=monday, weeks=weeks, now=now, centers=[center] if center else None
    )
    names = masterdata.customer_labels()
    customer = request.GET.get("customer", "")
    if request.GET.get("format") == "csv":
        return _csv(found, names, customer)
    units = masterdata.active_units(site_id=site_id)
    codes = sorted({unit.work_center_code for unit in units})
    form = CapacityFilter(
        {**request.GET.dict(), "from": monday.isoformat(), "weeks": str(weeks)},
        centers=codes,
        customers=[(code, f"{code} {name}") for code, name in names.items()],
    )
    context = {
        "filter": form,
        "place": place,
        "run": selectors.current_run(site_id),
        "capacity": found,
        "tables": _tables(found, names, customer, most=_most_customers(request)),
        "customer": customer,
        "customer_name": names.get(customer, customer),
        "before": monday - weeks * timedelta(days=7),
        "after": monday + weeks * timedelta(days=7),
        "is_now": monday == selectors.monday_of(now, timezone.get_current_timezone()),
    }
    return render(request, "aps/capacity.html", context)


@dataclass(frozen=True, slots=True)
class Table:
    """Some work centers with what they do for whom; ``is_folded``: shown on demand."""

    lines: tuple[Line, ...]
    centers: int
    is_folded: bool = False


def _most_customers(request: HttpRequest) -> int | None:
    """How many customers stand below their work center; None: all."""
    return {"center": 0, "all": None}.get(request.GET.get("detail", ""), MOST_CUSTOMERS)


def _tables(
    found: Capacity, names: Mapping[str, str], customer: str, *, most: int | None
) -> list[Table]:
    """The fullest work centers first; those that have hours to spare in a table of their own."""

    def peak(center: CenterCapacity) -> float:
        return max((100.0 if week.is_over else week.percent for week in center.weeks), default=0.0)

    ordered = sorted(found.centers, key=lambda center: (-peak(center), center.code))
    loaded = [center for center in ordered if peak(center) >= LOADED_PERCENT]
    rest = ordered[len(loaded) :]
    if not loaded or len(rest) < LEAST_FOLDED:
        loaded, rest = ordered, []
    return [
        Table(tuple(_lines(centers, names, customer, most)), len(centers), is_folded)
        for centers, is_folded in ((loaded, False), (rest, True))
        if centers
    ]


def _span(request: HttpRequest, now: datetime) -> tuple[date, int]:
    """The first Monday and the number of weeks; what is missing or wrong as usual."""
    this = selectors.monday_of(now, timezone.get_current_timezone())
    try:
        day = parse_date(request.GET.get("from", "")) or this
    except ValueError:
        day = this
    # Where the calendars of a plant can be.
    if abs(day - this) > timedelta(days=3660):
        day = this
    text = request.GET.get("weeks", "")
    known = dict(CapacityFilter.WEEKS)
    return day - timedelta(days=day.weekday()), int(text) if text in known else USUAL_WEEKS


def _lines(
    centers: Sequence[CenterCapacity],
    names: Mapping[str, str],
    customer: str,
    most: int | None,
) -> Iterator[Line]:
    """Each work center, and below it its largest customers, the others in one line."""
    for center in centers:
        yield Line(center.code, "", tuple(_cell(week) for week in center.weeks))
        if customer or most != 0:
            yield from _customers(center, names, customer, most)


def _customers(
    center: CenterCapacity, names: Mapping[str, str], customer: str, most: int | None
) -> Iterator[Line]:
    totals: dict[str, int] = {}
    for week in center.weeks:
        for share in week.customers:
            totals[share.customer_code] = totals.get(share.customer_code, 0) + share.minutes
    ordered = sorted(totals, key=lambda code: (-totals[code], code))
    shown = [code for code in ordered if code == customer] if customer else ordered
    # One alone is as long as the line that would stand for it.
    own = shown if most is None or len(shown) <= most + 1 else shown[:most]
    for code in own:
        cells = tuple(_cell(week, week.of(code)) for week in center.weeks)
        yield Line(code or _("Stock"), names.get(code, ""), cells, is_customer=True)
    rest = shown[len(own) :]
    if rest:
        cells = tuple(_cell(week, sum(map(week.of, rest))) for week in center.weeks)
        text = ngettext("%(count)s other", "%(count)s others", len(rest)) % {"count": len(rest)}
        yield Line(text, "", cells, is_customer=True)


def _cell(week: WeekLoad, minutes: int | None = None) -> Cell:
    """A week of the work center, or of a customer's share of it."""
    loaded = week.loaded_minutes if minutes is None else minutes
    available = week.available_minutes
    percent = 100 * loaded / available if available else 0.0
    return Cell(
        monday=week.monday,
        loaded=round(loaded / HOUR),
        available=round(available / HOUR),
        free=round(week.free_minutes / HOUR),
        percent=percent,
        is_over=minutes is None and week.is_over,
        is_full=minutes is None and not week.is_over and week.percent >= FULL_PERCENT,
    )


def _csv(found: Capacity, names: Mapping[str, str], customer: str) -> HttpResponse:
    """One line for each work center, week and customer; one without a customer where all is free.

    UTF-8 with a byte order mark, which Excel needs for Chinese; formulas are disarmed.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    heads = ("work_center", "monday", "available_hours", "loaded_hours", "free_hours")
    writer.writerow([*heads, "customer", "customer_name", "customer_hours"])
    for center in found.centers:
        for week in center.weeks:
            minutes = (week.available_minutes, week.loaded_minutes, week.free_minutes)
            head = [_safe(center.code), week.monday.isoformat(), *map(_hours, minutes)]
            shares = [s for s in week.customers if not customer or s.customer_code == customer]
            for share in shares:
                name = names.get(share.customer_code, "")
                writer.writerow(
                    [*head, _safe(share.customer_code), _safe(name), _hours(share.minutes)]
                )
            if not shares:
                writer.writerow([*head, "", "", "0.00"])
    response = HttpResponse(
        b"\xef\xbb\xbf" + buffer.getvalue().encode(), content_type="text/csv; charset=utf-8"
    )
    first = found.mondays[0].isoformat() if found.mondays else ""
    response["Content-Disposition"] = f'attachment; filename="capacity-{first}.csv"'
    return response


def _hours(minutes: int) -> str:
    return f"{minutes / HOUR:.2f}"


def _safe(text: str) -> str:
    """The text, with a quote before what a spreadsheet would compute."""
    return f"'{text}" if text.startswith(FORMULA) else text
