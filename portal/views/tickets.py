"""The customer's complaints: plain HTML that needs no script."""

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common import documents, idempotency
from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from crm.services import ticket_photos, ticket_portal
from portal import selectors, selectors_tickets
from portal.forms import AnswerForm, ComplaintForm

PAGE_SIZE = 50


def _customer_id(request: AuthenticatedRequest) -> int:
    try:
        return selectors.customer_id_of(request.user)
    except selectors.NoCustomer as error:
        raise Http404 from error


@requires("portal.view")
@require_safe
def ticket_list(request: AuthenticatedRequest) -> HttpResponse:
    """My complaints."""
    found = selectors_tickets.tickets(customer_id=_customer_id(request))
    pages: Paginator[selectors_tickets.Ticket] = Paginator(found, PAGE_SIZE)  # type: ignore[arg-type]
    page = pages.get_page(request.GET.get("page"))
    return render(request, "portal/ticket_list.html", {"page": page, "tickets": page.object_list})


@requires("portal.view")
@require_http_methods(["GET", "HEAD", "POST"])
def ticket_create(request: AuthenticatedRequest) -> HttpResponse:
    """Complain about one of my products."""
    customer_id = _customer_id(request)
    initial = {"serial": request.GET.get("serial", "")[:200]}
    form = ComplaintForm(request.POST or None, request.FILES or None, initial=initial)
    status = 422 if request.method == "POST" else 200
    if request.method == "POST" and form.is_valid():
        data, now = form.cleaned_data, timezone.now()
        try:
            photos = ticket_photos.uploaded(data["photos"])

            def effect() -> str:
                return ticket_portal.complain(
                    customer_id=customer_id,
                    serial=data["serial"],
                    title=data["title"],
                    body=data["body"],
                    photos=photos,
                    by=request.user,
                    now=now,
                ).number

            number = idempotency.once(
                user=request.user,
                key=data["idempotency_key"],
                fingerprint=idempotency.fingerprint(request.POST),
                now=now,
                effect=effect,
            )
            return HttpResponseRedirect(reverse("portal:ticket", args=[number]))
        except ticket_portal.NotYours as refused:
            form.add_error("serial", str(refused))
        except Refused as refused:
            form.add_error(None, str(refused))
            status = _status(refused)
    return render(request, "portal/ticket_form.html", {"form": form}, status=status)


@requires("portal.view")
@require_safe
def ticket_detail(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """One of my complaints; another customer's is a 404."""
    return _show(request, _customer_id(request), number, AnswerForm())


def _show(
    request: AuthenticatedRequest,
    customer_id: int,
    number: str,
    form: AnswerForm,
    status: int = 200,
) -> HttpResponse:
    found = selectors_tickets.ticket(customer_id=customer_id, number=number)
    if found is None:
        raise Http404
    context = {"ticket": found, "form": form}
    return render(request, "portal/ticket_detail.html", context, status=status)


@requires("portal.view")
@require_POST
def ticket_answer(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Go on with one of my complaints; it is open again."""
    customer_id = _customer_id(request)
    form = AnswerForm(request.POST, request.FILES)
    if form.is_valid():
        data, now = form.cleaned_data, timezone.now()
        try:
            photos = ticket_photos.uploaded(data["photos"])

            def effect() -> str:
                ticket_portal.answer(
                    customer_id=customer_id,
                    number=number,
                    body=data["body"],
                    photos=photos,
                    by=request.user,
                    now=now,
                )
                return reverse("portal:ticket", args=[number])

            url = idempotency.once(
                user=request.user,
                key=data["idempotency_key"],
                fingerprint=idempotency.fingerprint(number, request.POST),
                now=now,
                effect=effect,
            )
            return HttpResponseRedirect(url)
        except ticket_portal.NoTicket as error:
            raise Http404 from error
        except Refused as refused:
            form.add_error("body", str(refused))
            return _show(request, customer_id, number, form, _status(refused))
    return _show(request, customer_id, number, form, 422)


def _status(refused: Refused) -> int:
    return 429 if isinstance(refused, ticket_portal.TooMuch) else 422


@requires("portal.view")
@require_safe
def ticket_photo(request: AuthenticatedRequest, number: str, pk: int) -> HttpResponse:
    """A picture of one of my complaints; those of internal notes are ours."""
    photo = ticket_portal.photo(customer_id=_customer_id(request), number=number, pk=pk)
    if photo is None:
        raise Http404
    answer = HttpResponse(photo.content, content_type=photo.content_type)
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Content-Disposition"] = "inline"
    answer["Cache-Control"] = "private, max-age=3600"
    return answer


@requires("portal.view")
@require_safe
def ticket_report(request: AuthenticatedRequest, number: str, report: str) -> HttpResponse:
    """A report that I was sent, as it was sent."""
    content = ticket_portal.report(customer_id=_customer_id(request), number=number, report=report)
    if content is None:
        raise Http404(_("There is no such report."))
    return documents.answer(name=f"{report}.pdf", content=content)
