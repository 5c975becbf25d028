"""Why an order line is late, as a fragment for the late list and the board's panel."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from aps import selectors
from aps.selectors import LateLine
from aps.services import lateness
from aps.views import lateness_words
from aps.views.lateness_words import Said
from aps.views.place import site_id as chosen_site
from common.access import requires


@requires("aps.view_schedule")
@require_safe
def why_late(request: HttpRequest) -> HttpResponse:
    """``?line=SO-100001/10`` → the chain, what binds, what would help."""
    reference = request.GET.get("line", "")
    site_id = chosen_site()
    now = timezone.now()
    late = selectors.late_orders(site_id=site_id, now=now) if site_id is not None else []
    line = next((row for row in late if row.reference == reference), None)
    said = None if line is None or site_id is None else explained(site_id, line, now)
    return render(request, "aps/_why.html", {"said": said})


def explained(site_id: int, line: LateLine, now: datetime) -> Said:
    """The explanation of a late line in words."""
    return lateness_words.say(lateness.explain(site_id=site_id, line=line, now=now))
