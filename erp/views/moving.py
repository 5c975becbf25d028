"""Goods change their place, and what is needed is made ready."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from common.access import AuthenticatedRequest, requires
from common.errors import Refused, told
from erp import selectors
from erp.enums import BinKind, MoveKind, RequirementKind
from erp.forms_store import MoveForm, StageForm
from erp.models import Requirement
from erp.services import moving
from erp.views.once import once
from erp.views.packing import source_of
from erp.views.place import place_of, place_or_404

PAGE_SIZE = 50


@requires("erp.relocate_stock")
def stock_move(request: AuthenticatedRequest) -> HttpResponse:
    """Put away, transfer, or lock away: what, from where, to where."""
    place, site = place_or_404(request)
    initial = {
        "what": request.GET.get("what", ""),
        "source": request.GET.get("source", ""),
        "target": request.GET.get("target", ""),
    }
    form = MoveForm(request.POST or None, site_id=site, initial=initial)
    if request.method == "POST" and form.is_valid():
        url = _moved(request, form)
        if url is not None:
            messages.success(
                request,
                _("It lies in %(bin)s now.") % {"bin": form.cleaned_data["target"].label},
            )
            return HttpResponseRedirect(url)
    context = {"place": place, "form": form, "bins": selectors.bins(site_id=site)}
    status = 422 if request.method == "POST" else 200
    return render(request, "erp/stock_move.html", context, status=status)


def _moved(request: AuthenticatedRequest, form: MoveForm) -> str | None:
    data = form.cleaned_data

    def effect() -> str:
        # A bin of another site may be named with its site: there it lies.
        place = data["source"]
        site_id = place.warehouse.site_id if place else form.site_id
        source, quantity = source_of(data["what"], place, data["quantity"], site_id)
        start = selectors.bin_by_id(source.bin_id)
        put_away = start.kind == BinKind.RECEIVING and data["target"].kind == BinKind.STORAGE
        moving.move(
            source=source,
            to_bin_id=data["target"].pk,
            quantity=quantity,
            kind=MoveKind.PUT_AWAY if put_away else MoveKind.TRANSFER,
            reason=data["reason"],
            by=request.user,
            now=timezone.now(),
        )
        return reverse("erp:stock-move")

    what = data["what"]
    start = data["source"].pk if data["source"] else None
    thing = (what.item.pk, what.lot, what.unit)
    key = (form.site_id, *thing, start, data["target"].pk, data["quantity"])
    return once(request, form, "move", key, effect)


@requires("erp.move_stock")
@require_safe
def pick_list(request: HttpRequest) -> HttpResponse:
    """Work orders and order lines whose material is to be made ready, the first due first."""
    place = place_of(request)
    text = request.GET.get("q", "").replace("\x00", "")
    rows = selectors.pick_orders(site_id=place.pk, text=text)
    context = {
        "place": place,
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "q": text,
    }
    template = "erp/pick_list.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)


@requires("erp.move_stock")
@require_safe
def pick_detail(request: HttpRequest, reference: str) -> HttpResponse:
    """What a work order or order line needs, where it lies, and what stands ready."""
    site = _site_of(reference)
    lines = selectors.pick_lines(site_id=site, reference=reference, now=timezone.now())
    context = {
        "reference": reference,
        "lines": lines,
        "is_done": all(line.left <= 0 for line in lines),
        "kind": lines[0].requirement.get_kind_display() if lines else "",
        "may_return": Requirement.objects.filter(
            site=site, reference=reference, kind=RequirementKind.COMPONENT, issued__gt=0
        ).exists(),
    }
    return render(request, "erp/pick_detail.html", context)


@requires("erp.move_stock")
@require_POST
def pick_stage(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Make a line ready: what was scanned, or what expires first."""
    requirement = get_object_or_404(Requirement, pk=pk)
    form = StageForm(request.POST, site_id=requirement.site_id)
    url = reverse("erp:pick-detail", kwargs={"reference": requirement.reference})
    if form.is_valid():
        scan, quantity = form.cleaned_data["scan"], form.cleaned_data["quantity"]

        def effect() -> str:
            moving.stage(
                requirement_id=requirement.pk,
                quantity=quantity,
                kind=_kind(requirement),
                lot_id=scan.lot.pk if scan and scan.lot else None,
                unit_ids=[scan.unit.pk] if scan and scan.unit else [],
                by=request.user,
                now=timezone.now(),
            )
            return url

        once(request, form, "stage", (pk, quantity, scan), effect)
    for errors in form.errors.values():
        for error in errors:
            messages.error(request, str(error))
    return HttpResponseRedirect(url)


@requires("erp.move_stock")
@require_POST
def pick_all(request: AuthenticatedRequest, reference: str) -> HttpResponse:
    """Make everything ready that is reserved, as the list suggests."""
    site = _site_of(reference)
    now = timezone.now()
    done = 0
    for line in selectors.pick_lines(site_id=site, reference=reference, now=now):
        if line.left <= 0:
            continue
        try:
            moving.stage(
                requirement_id=line.requirement.pk,
                quantity=line.left,
                kind=_kind(line.requirement),
                by=request.user,
                now=now,
            )
            done += 1
        except Refused as refusal:
            messages.error(request, str(refusal))
    if done:
        text = ngettext("%(count)s line stands ready.", "%(count)s lines stand ready.", done)
        messages.success(request, text % {"count": done})
    return HttpResponseRedirect(reverse("erp:pick-detail", kwargs={"reference": reference}))


@requires("erp.move_stock")
@require_POST
def pick_undo(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """What stood ready is promised to nobody there; it stays where it is."""
    requirement = get_object_or_404(Requirement, pk=pk)
    with told(request):
        moving.unstage(requirement_id=requirement.pk, by=request.user, now=timezone.now())
    url = reverse("erp:pick-detail", kwargs={"reference": requirement.reference})
    return HttpResponseRedirect(url)


def _site_of(reference: str) -> int:
    """The site that a work order or order line is for; raise Http404 for one nobody knows."""
    site = selectors.site_of_reference(reference)
    if site is None:
        raise Http404
    return site


def _kind(requirement: Requirement) -> MoveKind:
    is_sale = requirement.kind == RequirementKind.SALES
    return MoveKind.PICK if is_sale else MoveKind.STAGE
