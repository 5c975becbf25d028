"""What is done with a ticket: described, answered, moved on, decided, frozen."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common import idempotency
from common.access import AuthenticatedRequest, requires
from common.errors import Refused, told
from crm.enums import WarrantyDecision
from crm.forms import ReasonForm
from crm.forms_tickets import DescribeForm, MessageForm, WarrantyForm
from crm.models import Ticket, TicketEvidence, TicketPhoto
from crm.services import canonical, ticket_evidence, ticket_photos, tickets, warranties
from crm.views.tickets import about_of, find, show

MOVES: dict[str, Callable[..., Ticket]] = {
    "wait": tickets.wait,
    "close": tickets.close,
}
REASONED: dict[str, Callable[..., Ticket]] = {
    "resolve": tickets.resolve,
    "reopen": tickets.reopen,
}


def page(number: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("crm:ticket", args=[number]))


def _ticket(number: str) -> Ticket:
    return get_object_or_404(Ticket.objects.select_related("customer", "site"), number=number)


@requires("crm.edit_ticket")
@require_POST
def ticket_describe(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """What the ticket is about, as it is known by now."""
    ticket = _ticket(number)
    form = DescribeForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(said) for row in form.errors.values() for said in row))
        return page(number)
    with told(request):
        tickets.describe(
            ticket=ticket,
            about=about_of(form.cleaned_data),
            version=form.cleaned_data["version"],
            by=request.user,
            now=timezone.now(),
        )
        messages.success(request, _("The ticket is changed."))
    return page(number)


@requires("crm.answer_ticket")
@require_POST
def ticket_reply(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Write to the customer."""
    return _write(request, number, _reply)


def _reply(ticket: Ticket, data: dict[str, Any], photos: Any, by: Any, now: Any) -> None:
    tickets.reply(
        ticket=ticket,
        body=data["body"],
        is_answer=data["is_answer"],
        waits=data["waits"],
        photos=photos,
        by=by,
        now=now,
    )


@requires("crm.edit_ticket")
@require_POST
def ticket_note(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Write something that only we read."""
    return _write(request, number, _note)


def _note(ticket: Ticket, data: dict[str, Any], photos: Any, by: Any, now: Any) -> None:
    tickets.note(ticket=ticket, body=data["body"], photos=photos, by=by, now=now)


def _write(request: AuthenticatedRequest, number: str, write: Callable[..., None]) -> HttpResponse:
    """Once however often the form is sent; what cannot be taken is shown again as it was typed."""
    ticket = _ticket(number)
    form = MessageForm(request.POST, request.FILES)
    if form.is_valid():
        now = timezone.now()
        try:
            photos = ticket_photos.uploaded(form.cleaned_data["photos"])

            def effect() -> str:
                write(ticket, form.cleaned_data, photos, request.user, now)
                return reverse("crm:ticket", args=[number])

            url = idempotency.once(
                user=request.user,
                key=form.cleaned_data["idempotency_key"],
                fingerprint=idempotency.fingerprint(number, request.POST),
                now=now,
                effect=effect,
            )
            return HttpResponseRedirect(url)
        except Refused as refused:
            form.add_error("body", str(refused))
    return show(request, find(number), form=form, status=422)


@requires("crm.edit_ticket")
@require_POST
def ticket_take(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Work on it oneself, or give it back to everybody."""
    to = None if request.POST.get("action") == "drop" else request.user
    with told(request):
        tickets.assign(ticket=_ticket(number), to=to, by=request.user, now=timezone.now())
    return page(number)


@requires("crm.answer_ticket")
@require_POST
def ticket_move(request: AuthenticatedRequest, number: str, step: str) -> HttpResponse:
    """wait, resolve, close, reopen."""
    ticket, now = _ticket(number), timezone.now()
    with told(request):
        if step in MOVES:
            MOVES[step](ticket=ticket, by=request.user, now=now)
        elif step in REASONED:
            form = ReasonForm(request.POST)
            reason = form.cleaned_data["reason"] if form.is_valid() else ""
            REASONED[step](ticket=ticket, reason=reason, by=request.user, now=now)
        else:
            raise Http404
    return page(number)


@requires("crm.decide_return")
@require_POST
def ticket_warranty(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Whether we pay."""
    ticket = _ticket(number)
    form = WarrantyForm(request.POST)
    decision = form.cleaned_data["decision"] if form.is_valid() else WarrantyDecision.UNDECIDED
    with told(request):
        warranties.decide(
            ticket=ticket,
            decision=WarrantyDecision(decision),
            reason=form.cleaned_data.get("reason", ""),
            by=request.user,
            now=timezone.now(),
        )
        messages.success(request, _("The warranty is decided."))
    return page(number)


@requires("crm.edit_ticket")
@require_POST
def ticket_freeze(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Keep whom the ticket's product, or a lot in it, reached as it is now."""
    ticket = _ticket(number)
    asked = request.POST.get("thing", "")
    thing = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
    with told(request):
        made = ticket_evidence.freeze(
            ticket=ticket, thing=thing or ticket.thing or 0, by=request.user, now=timezone.now()
        )
        messages.success(request, _("The list is frozen: %(count)s units.") % {"count": made.units})
    return page(number)


@requires("crm.view_ticket")
@require_safe
def ticket_evidence_file(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """A frozen list as it is kept; its SHA-256 is that of the file."""
    found = get_object_or_404(TicketEvidence, pk=pk, ticket__number=number)
    answer = HttpResponse(canonical.text(found.snapshot), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{number}-list-{found.pk}.json"'
    answer["Cache-Control"] = "private, no-store"
    return answer


@requires("crm.view_ticket")
@require_safe
def ticket_photo(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """A picture, to those who may see the ticket."""
    return photo_answer(get_object_or_404(TicketPhoto, pk=pk, message__ticket__number=number))


def photo_answer(photo: TicketPhoto) -> HttpResponse:
    """The picture as what its first bytes say it is; no browser takes it for a page."""
    answer = HttpResponse(bytes(photo.content), content_type=photo.content_type)
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Content-Disposition"] = "inline"
    answer["Cache-Control"] = "private, max-age=3600"
    return answer
