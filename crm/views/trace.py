"""One box, and the life of what it finds: chain, drawing, values, people, timeline."""

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.access import requires
from common.permissions import allowed
from crm import selectors_tickets as tickets
from crm.models import Ticket
from crm.trace import chain, find, graph, life, links, measures, shared, timeline
from traceability import selectors as ledger
from traceability.enums import FIRST_UNIT_ID
from traceability.selectors import complaints

if TYPE_CHECKING:
    from traceability.models import Lot, SerialUnit

_LARGEST = 2**63
_MOST_FAILED = 100
_LONGEST = 4000


def thing_or_404(pk: int) -> "Lot | SerialUnit":
    """The lot or unit; Http404 where there is none."""
    thing = ledger.thing(pk) if pk < _LARGEST else None
    if thing is None:
        raise Http404
    return thing


@requires("crm.view_trace")
@require_safe
def trace(request: HttpRequest) -> HttpResponse:
    """What a number names: one thing is opened at once, of several one chooses."""
    text = request.GET.get("q", "")[:400].replace("\x00", "").strip()
    found = find.find(text)
    if len(found.hits) == 1 and not found.document_url:
        page = reverse("crm:trace-thing", args=[found.hits[0].thing.pk])
        return HttpResponseRedirect(page)
    context = {"q": text, "found": found, "first_unit": FIRST_UNIT_ID}
    return render(request, "crm/trace/find.html", context)


@requires("crm.view_trace")
@require_safe
def trace_thing(request: HttpRequest, pk: int) -> HttpResponse:
    """The life of a lot or unit, as it is or (``?as=built``) as it was built."""
    thing = thing_or_404(pk)
    found = life.read(thing)
    is_built = request.GET.get("as") == "built"
    may_see = allowed(request.user, "crm.view_operator")
    parts = found.as_built if is_built else found.as_it_is
    values, inspections = measures.measured(found, may_see_operators=may_see)
    is_unit = pk >= FIRST_UNIT_ID
    holds = list(ledger.holds_of(lot_id=None if is_unit else pk, unit_id=pk if is_unit else None))
    complained = list(complaints.of_things([pk]))
    context: dict[str, Any] = {
        "thing": thing,
        "life": found,
        "is_unit": is_unit,
        "is_built": is_built,
        "chain": chain.chain(found, parts),
        "as_table": request.GET.get("chain") == "table",
        "graph": graph.first(found, parts),
        "values": values,
        "faults": measures.out_of_limits(values),
        "inspections": inspections,
        "passed": measures.passed(found, may_see_operators=may_see),
        "holds": [hold for hold in holds if hold.released_at is None],
        "complaints": [(row, _ticket_url(request, row.reference)) for row in complained],
        "tickets": _tickets(request, found),
        "receipt": found.receipt_of(pk),
        "order_url": links.url_of(found.product.order),
        "timeline": timeline.timeline(
            found, holds=holds, complaints=complained, now=timezone.now()
        ),
        "today": timezone.localdate(),
        "people_note": "" if may_see else _("People by number: their names are for quality."),
    }
    return render(request, "crm/trace/thing.html", context)


def _tickets(request: HttpRequest, found: life.Life) -> list[tuple[Ticket, bool]]:
    """Those about it and on the same lots, for who may read tickets."""
    if not allowed(request.user, "crm.view_ticket"):
        return []
    return tickets.around(found.thing.pk, found.lots)


def _ticket_url(request: HttpRequest, number: str) -> str:
    return links.url_of(number) if allowed(request.user, "crm.view_ticket") else ""


@requires("crm.view_trace")
@require_safe
def trace_graph(request: HttpRequest, pk: int) -> JsonResponse:
    """One level more around a thing, for the drawing."""
    thing_or_404(pk)
    return JsonResponse(graph.more(pk, as_built=request.GET.get("as") == "built"))


@requires("crm.view_trace")
@require_safe
def trace_shared(request: HttpRequest) -> HttpResponse:
    """What several failed units have in common that their neighbours do not."""
    text = request.GET.get("sn", "")[:_LONGEST].replace("\x00", "")
    typed = [part for part in text.replace(",", "\n").replace(";", "\n").split() if part]
    units, unknown = _units(typed[:_MOST_FAILED])
    may_see = allowed(request.user, "crm.view_operator")
    compared = shared.compare(units, may_see_operators=may_see) if len(units) > 1 else None
    context = {
        "text": text,
        "units": units,
        "unknown": unknown,
        "is_cut": len(typed) > _MOST_FAILED,
        "most": _MOST_FAILED,
        "compared": compared,
    }
    return render(request, "crm/trace/shared.html", context)


def _units(typed: list[str]) -> "tuple[list[SerialUnit], list[str]]":
    """Units by number, each once, and what no unit is called."""
    by_text = {text: ledger.numbers_in(text) for text in typed}
    wanted = {ledger.normalised(number) for numbers in by_text.values() for number in numbers}
    found = {unit.number_norm: unit for unit in ledger.units_numbered(wanted)}
    units: dict[int, SerialUnit] = {}
    unknown: list[str] = []
    for text, numbers in by_text.items():
        norms = [ledger.normalised(number) for number in numbers]
        unit = next((found[norm] for norm in norms if norm in found), None)
        if unit is None:
            unknown.append(text)
        else:
            units.setdefault(unit.pk, unit)
    return list(units.values()), unknown
