"""OEE per work unit and shift, where the time went, and what stopped the machines."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.access import requires
from common.place import place_of, tells_of_idle_sites
from masterdata import selectors as masterdata
from masterdata.selectors import UnitInfo
from masterdata.services import calendars, shifts
from mes.oee import Oee, total
from mes.services import effectiveness

if TYPE_CHECKING:
    from masterdata.models import Site

# Reasons are gathered over so many days up to the one shown.
PARETO_DAYS = 30
_EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True)
class Loss:
    """A bar of the waterfall: begins where the one before ended; percent of the planned time."""

    label: str
    minutes: Decimal
    begins: float
    width: float
    tone: str


@dataclass(frozen=True)
class Row:
    """A unit's line, its ratios as people read them."""

    unit: UnitInfo
    figures: Oee
    ratios: dict[str, str]


def ratios(figures: Oee) -> dict[str, str]:
    """The ratios in percent, "–" where nothing can be said."""
    return {
        name: "–" if value is None else f"{100 * value:.1f}\N{NO-BREAK SPACE}%"
        for name, value in (
            ("oee", figures.oee),
            ("availability", figures.availability),
            ("effectiveness", figures.effectiveness),
            ("quality", figures.quality),
        )
    }


@requires("mes.view_oee")
@require_safe
@tells_of_idle_sites(masterdata.sites, masterdata.sites_with_units)
def oee(request: HttpRequest) -> HttpResponse:
    """``?site=DETROIT&day=2026-11-22&shift=06:00–14:00&unit=MILL-01``.

    Without: the site chosen last or the first one, today, all day, all its units.
    """
    now = timezone.now()
    site, sites = _site(request)
    today = now.astimezone(calendars.zone(site.time_zone)).date()
    day = _day(request.GET.get("day", ""), today)
    spans = shifts.on(site, day)
    chosen = next((s for s in spans if s.label == request.GET.get("shift")), None)
    span = chosen or shifts.whole_day(site, day)
    rows = effectiveness.oee(
        site_id=site.pk, starts_at=span.starts_at, ends_at=span.ends_at, now=now
    )
    unit = next((row for row in rows if row.unit.code == request.GET.get("unit")), None)
    figures = unit.figures if unit else total(row.figures for row in rows)
    context = {
        "site": site,
        "sites": sites,
        "day": day,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1) if day < today else None,
        "shifts": spans,
        "chosen": chosen,
        "rows": [
            Row(row.unit, row.figures, ratios(row.figures)) for row in rows if row.figures.planned
        ],
        "ratios": ratios(figures),
        "unit": unit,
        "figures": figures,
        "losses": _waterfall(figures),
        "causes": _causes(site.pk, span.ends_at, now),
        "pareto_days": PARETO_DAYS,
    }
    return render(request, "mes/oee.html", context)


def _site(request: HttpRequest) -> "tuple[Site, list[Site]]":
    """The chosen one of the sites with machines, as ``common.place`` says; raise NoSite."""
    sites = masterdata.sites_with_units()
    return place_of(request, sites).site or masterdata.default_site(), sites


def _day(text: str, today: date) -> date:
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    return found if found and _EARLIEST <= found <= today else today


def _causes(site_id: int, until: datetime, now: datetime) -> object:
    return effectiveness.causes(
        site_id=site_id,
        starts_at=until - timedelta(days=PARETO_DAYS),
        ends_at=min(until, now),
        now=now,
    )


def _waterfall(figures: Oee) -> list[Loss]:
    """From the planned time down to the minutes that made good pieces."""
    if not figures.planned:
        return []
    whole = Decimal(figures.planned)
    found = [Loss(_("Planned busy time"), whole, 0.0, 100.0, "planned")]
    left = whole
    for label, minutes, tone in (
        (_("Unplanned stops"), Decimal(figures.stopped), "late"),
        (_("Setup"), Decimal(figures.setup), "risk"),
        (_("No work"), Decimal(figures.idle), "hold"),
        (_("Slower than planned"), figures.speed_loss, "risk"),
        (_("Scrap"), min(figures.quality_loss, left), "late"),
    ):
        left = max(left - minutes, Decimal(0))
        share = min(float(100 * minutes / whole), 100.0)
        found.append(Loss(label, minutes, float(100 * left / whole), share, tone))
    found.append(Loss(_("Good pieces"), left, 0.0, float(100 * left / whole), "done"))
    return found
