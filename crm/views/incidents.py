"""Incidents: the list, and one with all that it led to, from the alarm to the customers."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from common.access import requires
from common.live import answer_if_changed
from common.permissions import allowed
from crm.views import incident_story
from masterdata import selectors as masterdata
from mes import selectors as mes

PAGE_SIZE = 50


@requires("mes.view_andon")
@require_safe
def incident_list(request: HttpRequest) -> HttpResponse:
    """Open incidents first, then the newest."""
    page = Paginator(mes.incidents(), PAGE_SIZE).get_page(request.GET.get("page"))
    template = "crm/incident_list.html" + ("#rows" if _is_part(request) else "")
    context = {"page": page, "sites": masterdata.site_ids(), "now": timezone.now()}
    return answer_if_changed(request, render(request, template, context))


@requires("mes.view_andon")
@require_safe
def incident_detail(request: HttpRequest, number: str) -> HttpResponse:
    """The story of one incident; customers' names only for who may see orders."""
    incident = mes.incident_by_number(number)
    if incident is None:
        raise Http404
    may_see_orders = allowed(request.user, "crm.view_order")
    story = incident_story.tell(incident, with_orders=may_see_orders)
    template = "crm/incident_detail.html" + ("#story" if _is_part(request) else "")
    context = {
        "incident": incident,
        "story": story,
        "downtime": next(iter(incident.downtimes.all()), None),
        "may_see_orders": may_see_orders,
        "may_plan": allowed(request.user, "aps.view_schedule"),
    }
    return answer_if_changed(request, render(request, template, context))


def _is_part(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]
