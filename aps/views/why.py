"""Why an order line is late, as a fragment for the late list and the board's panel."""

from collections.abc import Sequence
from dataclasses import replace
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
from aps.views.overview import Late
from aps.views.place import site_id as chosen_site
from common.access import requires
from common.permissions import allowed


@requires("aps.view_schedule")
@require_safe
def why_late(request: HttpRequest) -> HttpResponse:
    """``?line=SO-100001/10`` → the chain, what binds, what would help."""
    reference = request.GET.get("line", "")
    site_id = chosen_site(request)
    now = timezone.now()
    late = selectors.late_orders(site_id=site_id, now=now) if site_id is not None else []
    line = next((row for row in late if row.reference == reference), None)
    said = None if line is None or site_id is None else explained(site_id, [line], now)[0]
    context = {"said": said, "can_try": allowed(request.user, "aps.plan")}
    return render(request, "aps/_why.html", context)


def bindings(site_id: int, lines: Sequence[LateLine], now: datetime) -> dict[str, str]:
    """What binds each late line, in a sentence, by its reference; as many queries as for one."""
    found = lateness.explain_all(site_id=site_id, lines=lines, now=now, with_helps=False)
    return {one.line.reference: lateness_words.say(one).binding for one in found}


def bound(site_id: int, rows: Sequence[Late], now: datetime) -> list[Late]:
    """The rows of late lines with what binds each of them, as the late list says it."""
    told = bindings(site_id, [row.line for row in rows], now)
    return [replace(row, why=told[row.reference]) for row in rows]


def explained(site_id: int, lines: Sequence[LateLine], now: datetime) -> list[Said]:
    """The explanations of late lines in words."""
    found = lateness.explain_all(site_id=site_id, lines=lines, now=now)
    return [lateness_words.say(one) for one in found]
