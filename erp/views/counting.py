"""Counting the store: sessions, their lines, and the second person's approval."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common.access import AuthenticatedRequest, requires
from common.errors import told
from common.permissions import allowed
from erp import selectors
from erp.enums import CountState
from erp.forms_store import CountForm, CountStartForm, ReasonForm
from erp.models import CountSession
from erp.services import counts
from erp.views.once import once
from erp.views.place import place_of, place_or_404

PAGE_SIZE = 50
LINES = 200


@requires("erp.view_stock")
@require_safe
def count_list(request: HttpRequest) -> HttpResponse:
    """The counts of the chosen site, the newest first."""
    place = place_of(request)
    rows = selectors.count_sessions(site_id=place.pk)
    context = {
        "place": place,
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "form": CountStartForm(),
        "can_count": allowed(request.user, "erp.count_stock"),
    }
    return render(request, "erp/count_list.html", context)


@requires("erp.count_stock")
@require_POST
def count_start(request: AuthenticatedRequest) -> HttpResponse:
    """Begin a count."""
    _place, site = place_or_404(request)
    form = CountStartForm(request.POST)
    url = None
    if form.is_valid():
        title = form.cleaned_data["title"]

        def effect() -> str:
            session = counts.start(site_id=site, title=title, by=request.user, now=timezone.now())
            return reverse("erp:count-detail", kwargs={"number": session.number})

        url = once(request, form, "count", (site, title), effect)
    return HttpResponseRedirect(url or reverse("erp:count-list"))


@requires("erp.view_stock")
@require_safe
def count_detail(request: HttpRequest, number: str) -> HttpResponse:
    """A count: what was found, and once it is handed in, what differs."""
    return _detail(request, _session(number), None)


@requires("erp.count_stock")
@require_POST
def count_enter(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """What lies in a bin."""
    session = _session(number)
    form = CountForm(request.POST, site_id=session.site_id)
    if form.is_valid():
        data = form.cleaned_data
        what = data["what"]

        def effect() -> str:
            counts.enter(
                session=session,
                bin_id=data["bin"].pk,
                item_id=what.item.pk,
                lot_id=what.lot.pk if what.lot else None,
                unit_id=what.unit.pk if what.unit else None,
                counted=data["counted"],
                by=request.user,
                now=timezone.now(),
            )
            place = data["bin"]
            return f"{_url(number)}?bin={place.warehouse.code}/{place.code}"

        url = once(request, form, "enter", (number, data["bin"].pk, what, data["counted"]), effect)
        if url is not None:
            return HttpResponseRedirect(url)
    return _detail(request, session, form, status=422)


@requires("erp.count_stock")
@require_POST
def count_empty(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """What nobody counted in the bin is not there."""
    session = _session(number)
    places = selectors.bins_named(request.POST.get("bin", ""), site_id=session.site_id)
    if len(places) != 1:
        messages.error(request, _("Name the bin that is counted."))
        return HttpResponseRedirect(_url(number))
    with told(request):
        gone = counts.rest_is_gone(
            session=session, bin_id=places[0].pk, by=request.user, now=timezone.now()
        )
        messages.success(
            request, _("%(count)s places more are counted as empty.") % {"count": gone}
        )
    return HttpResponseRedirect(_url(number))


@requires("erp.count_stock")
@require_POST
def count_submit(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Hand the count in."""

    def act() -> None:
        session = counts.submit(session=_session(number), by=request.user, now=timezone.now())
        if session.state == CountState.POSTED:
            messages.success(request, _("The count is posted."))
        else:
            messages.info(request, _("The variance is above the limit: another person approves."))

    return _done(request, number, act)


@requires("erp.approve_count")
@require_POST
def count_approve(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Post a count that waits."""

    def act() -> None:
        counts.approve(session=_session(number), by=request.user, now=timezone.now())
        messages.success(request, _("The count is posted."))

    return _done(request, number, act)


@requires("erp.approve_count")
@require_POST
def count_send_back(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Ask for another count."""
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""

    def act() -> None:
        counts.send_back(
            session=_session(number), reason=reason, by=request.user, now=timezone.now()
        )

    return _done(request, number, act)


@requires("erp.count_stock")
@require_POST
def count_cancel(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Throw the count away."""

    def act() -> None:
        counts.cancel(session=_session(number), by=request.user, now=timezone.now())

    return _done(request, number, act)


def _done(request: HttpRequest, number: str, act: Callable[[], None]) -> HttpResponse:
    _session(number)
    with told(request):
        act()
    return HttpResponseRedirect(_url(number))


def _session(number: str) -> CountSession:
    return get_object_or_404(CountSession.objects.select_related("site"), number=number)


def _url(number: str) -> str:
    return reverse("erp:count-detail", kwargs={"number": number})


def _detail(
    request: HttpRequest, session: CountSession, form: CountForm | None, *, status: int = 200
) -> HttpResponse:
    lines = list(selectors.count_lines(session)[:LINES])
    value = selectors.variance_value(lines) if session.state != CountState.OPEN else None
    here = request.GET.get("bin", "")[:90]
    context = {
        "session": session,
        "lines": lines,
        "form": form or CountForm(site_id=session.site_id, initial={"bin": here}),
        "bin": here,
        "bins": selectors.bins(site_id=session.site_id),
        # Who counts does not see what the books say.
        "shows_books": session.state != CountState.OPEN,
        "value": value,
        "counts_along": value is not None and 0 < value <= settings.COUNT_APPROVAL_LIMIT,
        "leaves_quarantine": session.state == CountState.SUBMITTED and bool(counts.freed(lines)),
        "can_see_value": allowed(request.user, "erp.view_cost"),
        "can_count": allowed(request.user, "erp.count_stock"),
        "can_approve": allowed(request.user, "erp.approve_count"),
    }
    return render(request, "erp/count_detail.html", context, status=status)
