"""Tickets: the list with its stopwatch, the entry with the product at once, one ticket's page."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common import audit, idempotency
from common.access import AuthenticatedRequest, requires
from common.errors import Refused, refusal, told
from common.permissions import allowed
from common.place import chosen
from crm import policies_tickets as policies
from crm import selectors_products as products
from crm import selectors_tickets as selectors
from crm.enums import (
    ReportTier,
    RmaState,
    TicketChannel,
    TicketPriority,
    TicketState,
    TraitKind,
)
from crm.forms_tickets import (
    DescribeForm,
    MailForm,
    MessageForm,
    TicketFilter,
    TicketForm,
    WarrantyForm,
    customer_option,
)
from crm.models import Ticket
from crm.selectors_products import Product
from crm.services import ticket_inbox, ticket_mail, ticket_photos, tickets, trace_reports
from crm.services.tickets import About, Contact
from crm.views import history
from masterdata import selectors as masterdata
from masterdata.services import shipping
from mes import selectors as mes
from mes.enums import NonconformanceSource
from traceability import selectors as ledger
from traceability.enums import NodeKind

PAGE_SIZE = 25
HISTORY = 30
MOST_LOTS = 200
MOST_CUSTOMERS = 20


@requires("crm.view_ticket")
@require_safe
def ticket_list(request: AuthenticatedRequest) -> HttpResponse:
    """What is to be done, what is due first above; how quickly complaints were answered."""
    now = timezone.now()
    form = TicketFilter(request.GET)
    state = request.GET.get("state", "")
    text = request.GET.get("q", "").strip()[:100]
    found = _narrowed(request, state, "all" if text and not state else state)
    if text:
        found = selectors.matching(found, text)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "filter": form,
        "page": page,
        "rows": [_row(ticket, now) for ticket in page.object_list],
        "narrowed": bool(state or text),
        "can_open": allowed(request.user, "crm.edit_ticket"),
    }
    if not request.htmx:  # type: ignore[attr-defined]
        context |= {
            "counts": selectors.counts(now=now),
            "stopwatch": selectors.stopwatch(now=now),
            "days": selectors.STOPWATCH_DAYS,
            "alerts": selectors.alerts(selectors.clusters()[:3]),
            "mail_form": MailForm(),
        }
    template = "crm/ticket/ticket_list.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)


def _narrowed(request: AuthenticatedRequest, asked: str, state: str) -> QuerySet[Ticket]:
    found = selectors.tickets()
    if state in TicketState.values:
        return found.filter(state=state)
    if state == "overdue":
        return selectors.overdue(found, now=timezone.now())
    if state == "mine":
        return selectors.live(found).filter(assigned_to=request.user)
    return found if state == "all" else selectors.live(found)


def _row(ticket: Ticket, now: Any) -> dict[str, Any]:
    due, is_late = _due(ticket, now)
    return {"ticket": ticket, "due": due, "is_late": is_late}


def _due(ticket: Ticket, now: Any) -> tuple[Any, bool]:
    """What is due next, None where nothing is or the clock stands; and whether it is late."""
    if ticket.state != TicketState.OPEN:
        return None, False
    due = ticket.answer_due_at if ticket.answered_at is None else None
    if ticket.first_response_at is None:
        due = ticket.response_due_at
    return due, due is not None and due < now


@requires("crm.edit_ticket")
@require_http_methods(["GET", "HEAD", "POST"])
def ticket_create(request: AuthenticatedRequest) -> HttpResponse:
    """Note a complaint; the product shows as soon as its number is typed."""
    form = TicketForm(
        request.POST or None,
        request.FILES or None,
        initial={
            "serial": request.GET.get("serial", "")[:200],
            "at_site": chosen(request, masterdata.sites()),
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            return HttpResponseRedirect(_create_once(request, form))
        except masterdata.CannotTellSite as refused:
            form.add_error("at_site", str(refused))
        except Refused as refused:
            form.add_error(None, str(refused))
    status = 422 if request.method == "POST" else 200
    return render(request, "crm/ticket/ticket_form.html", {"form": form}, status=status)


def _create_once(request: AuthenticatedRequest, form: TicketForm) -> str:
    data = form.cleaned_data
    now = timezone.now()
    photos = ticket_photos.uploaded(data["photos"])
    about = about_of(data)
    site_id = tickets.site_for(about, code=form.site_code, now=now)

    def effect() -> str:
        ticket = tickets.create(
            title=data["title"],
            body=data["body"],
            about=about,
            site_id=site_id,
            contact=Contact(data["contact_name"], data["contact_email"]),
            channel=TicketChannel.AGENT,
            photos=photos,
            by=request.user,
            now=now,
        )
        tickets.assign(ticket=ticket, to=request.user, by=request.user, now=now)
        return reverse("crm:ticket", args=[ticket.number])

    print_ = idempotency.fingerprint(request.POST, [photo.name for photo in photos])
    return idempotency.once(
        user=request.user, key=data["idempotency_key"], fingerprint=print_, now=now, effect=effect
    )


def about_of(data: dict[str, Any]) -> About:
    """What a form says; the product's customer, where no other one is named."""
    found = products.product(data["thing"]) if data["thing"] else None
    if found is None and data["serial"]:
        named = products.named(data["serial"])
        found = named[0] if len(named) == 1 else None
    customer = data["customer"]
    holder = found.customer_id if found else None
    return About(
        customer_id=customer.pk if customer else holder,
        item_id=data["item"].pk if data["item"] else None,
        serial=data["serial"],
        thing=data["thing"],
        symptom_id=data["symptom"].pk if data["symptom"] else None,
        priority=TicketPriority(data["priority"]),
    )


@requires("crm.view_ticket")
@require_safe
def ticket_lookup(request: HttpRequest) -> HttpResponse:
    """What a typed number is: the product with who has it, or numbers that are like it."""
    text = request.GET.get("serial", "").strip()[:200]
    found = products.named(text) if text else []
    customer = masterdata.customer_by_code(request.GET.get("customer", "")[:40])
    thing = next((one for one in found if str(one.thing) == request.GET.get("thing")), None)
    one = found[0] if len(found) == 1 else thing
    context = {
        "text": text,
        "found": found,
        "product": one,
        "is_covered": _is_covered(one),
        "is_wrong_customer": bool(
            one and customer and one.customers and not one.is_with(customer.pk)
        ),
        "customer": customer,
        "suggested": products.suggested(text) if text and not found else [],
        "earlier": selectors.about(one.thing)[:3] if one else [],
    }
    return render(request, "crm/ticket/_product.html", context)


@requires("crm.view_ticket")
@require_safe
def customer_lookup(request: HttpRequest) -> JsonResponse:
    """Customers whose code or name holds what is typed, for ``select.js``."""
    found = masterdata.search_customers(request.GET.get("q", "")[:100], MOST_CUSTOMERS)
    return JsonResponse([customer_option(customer) for customer in found], safe=False)


def _is_covered(product: Product | None) -> bool | None:
    if product is None:
        return None
    today = shipping.today(masterdata.default_site(), now=timezone.now())
    return product.is_covered(today)


@requires("crm.edit_ticket")
@require_POST
def mail_import(request: AuthenticatedRequest) -> HttpResponse:
    """A mail that somebody saved becomes a ticket, or goes on with one."""
    form = MailForm(request.POST, request.FILES)
    url = reverse("crm:tickets")
    if not form.is_valid():
        messages.error(request, _("Choose a mail that was saved as a file."))
        return HttpResponseRedirect(url)
    with told(request):
        ticket = ticket_inbox.take(raw=form.cleaned_data["mail"].read(), now=timezone.now())
        url = reverse("crm:ticket", args=[ticket.number])
    return HttpResponseRedirect(url)


def find(number: str) -> Ticket:
    """The ticket; raise Http404."""
    found = selectors.ticket(number)
    if found is None:
        raise Http404
    return found


@requires("crm.view_ticket")
@require_safe
def ticket_detail(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """One ticket: product, conversation, clock, returns, reports, and others like it."""
    return show(request, find(number))


def show(
    request: AuthenticatedRequest, ticket: Ticket, *, form: Any = None, status: int = 200
) -> HttpResponse:
    """The page; ``form`` is what was typed and cannot be taken as it is."""
    now = timezone.now()
    product = products.product(ticket.thing)
    due, is_late = _due(ticket, now)
    context = {
        "ticket": ticket,
        "product": product,
        "is_covered": _is_covered(product),
        "is_wrong_customer": bool(
            product and ticket.customer_id and not product.is_with(ticket.customer_id)
        ),
        "can_return": product is not None
        and product.kind == NodeKind.UNIT
        and not any(rma.state in RmaState.open() for rma in ticket.rmas.all()),
        "due": due,
        "is_late": is_late,
        "rights": _rights(request),
        "refusals": _refusals(ticket),
        "nonconformance": mes.nonconformances_of([ticket.number]).get(ticket.number),
        "nonconformance_url": _nonconformance_url(request, ticket),
        "messages_said": list(ticket.messages.all()),
        "message_form": form or MessageForm(),
        "describe_form": _describe_form(ticket),
        "warranty_form": WarrantyForm(),
        "macros": _macros(ticket),
        "mail_to": ticket_mail.recipients(ticket),
        "report_to": ticket_mail.recipients(ticket, is_report=True),
        "report_text": trace_reports.usual_text(ticket) if product else "",
        "tiers": _tiers(ticket),
        "related": selectors.related(ticket),
        "alerts": selectors.alerts_of(ticket),
        "rmas": list(ticket.rmas.all()),
        "lots": _lots(ticket),
        "answered_after": _answered_after(ticket),
        "history": history.told(audit.history(ticket)[:HISTORY]),
        "now": now,
    }
    return render(request, "crm/ticket/ticket_detail.html", context, status=status)


def _rights(request: HttpRequest) -> dict[str, bool]:
    return {
        "edit": allowed(request.user, "crm.edit_ticket"),
        "answer": allowed(request.user, "crm.answer_ticket"),
        "decide": allowed(request.user, "crm.decide_return"),
        "handle": allowed(request.user, "crm.handle_return"),
    }


def _refusals(ticket: Ticket) -> dict[str, str]:
    return {
        "report": refusal(_check_can_report, ticket),
        "resolve": refusal(policies.check_can_resolve, ticket),
        "wait": refusal(policies.check_can_move, ticket, TicketState.WAITING),
        "close": refusal(policies.check_can_move, ticket, TicketState.CLOSED),
        "reopen": refusal(policies.check_can_move, ticket, TicketState.OPEN),
        "edit": refusal(policies.check_can_edit, ticket),
    }


def _nonconformance_url(request: HttpRequest, ticket: Ticket) -> str:
    """Where one is reported with all that the ticket says; empty where it says too little."""
    may = allowed(request.user, "mes.report_nonconformance")
    if not may or ticket.item is None or refusal(policies.check_can_edit, ticket):
        return ""
    said = {
        "source": NonconformanceSource.TICKET.value,
        "reference": ticket.number,
        "item": ticket.item.code,
        "thing": ticket.thing or "",
        "problem": ticket.title,
        "symptom": ticket.symptom.code if ticket.symptom else "",
    }
    return f"{reverse('mes:nonconformance-new')}?{urlencode(said)}"


def _check_can_report(ticket: Ticket) -> None:
    trace_reports.check_can_report(ticket)


def _describe_form(ticket: Ticket) -> DescribeForm:
    return DescribeForm(
        initial={
            "customer": ticket.customer.code if ticket.customer else "",
            "serial": ticket.serial,
            "thing": ticket.thing,
            "item": ticket.item.code if ticket.item and not ticket.thing else "",
            "symptom": ticket.symptom_id,
            "priority": ticket.priority,
            "version": ticket.version,
        }
    )


def _macros(ticket: Ticket) -> list[dict[str, str]]:
    """Names in the reader's language, texts in the customer's."""
    is_chinese = ticket_mail.language_of(ticket).startswith("zh")
    return [
        {"name": row.label, "text": (row.text_zh if is_chinese else "") or row.text}
        for row in selectors.macros()
    ]


def _tiers(ticket: Ticket) -> list[tuple[str, str]]:
    if ticket.customer_id is None:
        return []
    most = trace_reports.most_of(ticket.customer_id)
    reachable = [tier for tier in ReportTier if most.reaches(tier)]
    return [(tier.value, str(tier.label)) for tier in reversed(reachable)]


def _lots(ticket: Ticket) -> list[Any]:
    """Lots inside the product, of which a list can be frozen."""
    refs = [trait.ref for trait in ticket.traits.filter(kind=TraitKind.LOT)[:MOST_LOTS]]
    return sorted(ledger.lots(refs).values(), key=lambda lot: (lot.item.code, lot.number))


def _answered_after(ticket: Ticket) -> float | None:
    """Minutes from the complaint to the answer."""
    if ticket.answered_at is None:
        return None
    return (ticket.answered_at - ticket.opened_at).total_seconds() / 60
