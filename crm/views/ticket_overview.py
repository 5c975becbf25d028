"""How after-sales is doing today: the stopwatch, who has what, what is complained of."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from common.access import AuthenticatedRequest, requires
from common.permissions import allowed
from crm import selectors_ticket_figures as figures
from crm import selectors_tickets as selectors
from mes import selectors as mes

LATELY = 7


@requires("crm.view_ticket")
@require_safe
def overview(request: AuthenticatedRequest) -> HttpResponse:
    """The dashboard; the same number of queries for ten tickets and a hundred thousand."""
    now = timezone.now()
    symptoms, items = figures.complained_of(now=now, days=selectors.STOPWATCH_DAYS)
    sees_quality = allowed(request.user, "mes.view_quality")
    context: dict[str, Any] = {
        "counts": selectors.counts(now=now),
        "stopwatch": selectors.stopwatch(now=now),
        "lately": selectors.stopwatch(now=now, days=LATELY),
        "days": selectors.STOPWATCH_DAYS,
        "weeks": figures.weeks(now=now, zone=timezone.get_current_timezone()),
        "loads": figures.loads(now=now),
        "symptoms": symptoms,
        "items": items,
        "alerts": selectors.alerts(selectors.clusters()[:5]),
        "returns": figures.returns_to_decide(),
        "quality": mes.quality_counts(today=timezone.localdate()) if sees_quality else None,
        "can_open": allowed(request.user, "crm.edit_ticket"),
    }
    return render(request, "crm/ticket/overview.html", context)
