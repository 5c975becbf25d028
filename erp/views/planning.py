"""Requirements planning: the workbench of proposals, runs and their progress, the site's rules."""

from datetime import timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from common.live import answer_if_changed
from common.permissions import allowed
from erp import selectors
from erp.enums import MrpRunState
from erp.forms_purchasing import OverrideForm
from erp.models import MrpRun, Proposal
from erp.services import mrp_runs, proposals
from erp.views.place import Place, place_of, place_or_404, stay
from masterdata import selectors as masterdata

PAGE_SIZE = 50
# Ticked and sent together; more come from "all of this list".
MOST = 5000


@requires("erp.view_planning")
@require_safe
def proposal_list(request: HttpRequest) -> HttpResponse:
    """What planning proposes, the most urgent first; narrowed by the URL."""
    place = place_of(request)
    site = place.pk
    if request.htmx.target == "status":  # type: ignore[attr-defined]
        template = "erp/proposal_list.html#status"
        return answer_if_changed(request, render(request, template, _status(request, place)))
    group, text = request.GET.get("show", ""), request.GET.get("q", "").replace("\x00", "")
    found = (
        selectors.proposals(site_id=site, group=group, text=text)
        if site is not None
        else Proposal.objects.none()
    )
    context = {
        **_status(request, place),
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "counts": selectors.proposal_counts(site_id=site) if site is not None else {},
        "show": group,
        "q": text,
        "today": timezone.localdate(),
        "can_plan": allowed(request.user, "erp.plan_supply"),
        "sees_cost": allowed(request.user, "erp.view_cost"),
        "sees_customer": allowed(request.user, "crm.view_order"),
    }
    template = "erp/proposal_list.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)


def _status(request: HttpRequest, place: Place) -> dict[str, object]:
    """How up to date the proposals are, and whether others came since the page was opened."""
    site = place.pk
    if site is None:
        return {"place": place, "site": None, "status": None, "run": None}
    status = selectors.planning_status(site_id=site, now=timezone.now())
    newest = str(status.last.pk) if status.last else ""
    seen = request.GET.get("seen", newest)
    return {
        "place": place,
        "site": site,
        "status": status,
        "run": status.last,
        "seen": seen if seen.isdigit() or not seen else newest,
        "is_newer": seen != newest,
        "plans_itself": selectors.supply_rule(site).plans_itself,
        "can_plan": allowed(request.user, "erp.plan_supply"),
    }


@requires("erp.plan_supply")
@require_POST
def proposal_accept(request: AuthenticatedRequest) -> HttpResponse:
    """Carry out the ticked proposals, or all of the list that is shown."""
    place, site = place_or_404(request)
    if request.POST.get("all"):
        found = selectors.proposals(
            site_id=site, group=request.POST.get("show", ""), text=request.POST.get("q", "")
        )
        ids = list(found.values_list("pk", flat=True)[:MOST])
    else:
        chosen = request.POST.getlist("proposal")
        ids = [int(pk) for pk in chosen if pk.isascii() and pk.isdigit() and len(pk) < 16][:MOST]
    if not ids:
        messages.warning(request, _("Tick at least one proposal."))
        return _back(request, place)
    done = proposals.accept(site_id=site, proposal_ids=ids, by=request.user, now=timezone.now())
    _tell(request, done)
    return _back(request, place)


@requires({"GET": "erp.view_planning", "HEAD": "erp.view_planning", "POST": "erp.plan_supply"})
def proposal_detail(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """One proposal: for whom it is, the system's figures, and a person's beside them."""
    proposal = get_object_or_404(selectors.proposals(), pk=pk)
    place = stay(request, proposal.site)
    terms = masterdata.supplier_terms(on=timezone.localdate(), item_ids=[proposal.item_id])
    today = timezone.localdate()
    offers = selectors.offers_of(proposal, terms.get(proposal.item_id, []), today=today)
    choices = [(str(offer.supplier_id), offer.label) for offer in offers]
    form = OverrideForm(
        request.POST or None,
        suppliers=choices if proposal.action == "buy" else [],
        initial={
            "quantity": f"{proposal.quantity.normalize():f}",
            "due_date": proposal.due_date,
            "supplier": str(proposal.supplier_id_chosen or ""),
            "reason": proposal.override_reason,
            "version": proposal.version,
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            _override(request, proposal, form)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Kept beside the system's figures."))
            if request.POST.get("back") == "list":
                return redirect(place.at(reverse("erp:proposal-list")))
            return redirect("erp:proposal-detail", pk=pk)
    pegs = list(selectors.proposal_pegs(proposal)[:100])
    named = {peg.requirement_id for peg in pegs} | {proposal.requirement_id}
    context = {
        "proposal": proposal,
        "place": place,
        "form": form,
        "offers": offers,
        "pegs": pegs,
        "served": urlencode([("r", pk) for pk in sorted(pk for pk in named if pk is not None)]),
        "can_plan": allowed(request.user, "erp.plan_supply"),
        "sees_cost": allowed(request.user, "erp.view_cost"),
        "sees_customer": allowed(request.user, "crm.view_order"),
        "today": today,
    }
    status = 422 if request.method == "POST" else 200
    in_list = request.method == "GET" and request.htmx and context["can_plan"]  # type: ignore[attr-defined]
    template = "erp/_override_dialog.html" if in_list else "erp/proposal_detail.html"
    return render(request, template, context, status=status)


@requires("erp.plan_supply")
@require_POST
def run_request(request: AuthenticatedRequest) -> HttpResponse:
    """Plan the site's requirements anew."""
    _place, site = place_or_404(request)
    run = mrp_runs.request(site_id=site, by=request.user, now=timezone.now())
    return redirect("erp:mrp-run-detail", pk=run.pk)


@requires("erp.view_planning")
@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    """The runs of the site, the newest first."""
    place = place_of(request)
    found = selectors.mrp_runs(site_id=place.pk) if place.pk is not None else MrpRun.objects.none()
    context = {
        "place": place,
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "can_plan": allowed(request.user, "erp.plan_supply"),
    }
    return render(request, "erp/mrp_run_list.html", context)


@requires("erp.view_planning")
@require_safe
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a run is, and what came of it."""
    run = get_object_or_404(selectors.mrp_runs(), pk=pk)
    died = run.state != MrpRunState.DONE and mrp_runs.has_died(run)
    is_active = run.state in (MrpRunState.QUEUED, MrpRunState.RUNNING) and not died
    context = {
        "run": run,
        "place": stay(request, run.site),
        "is_active": is_active,
        "died": died,
        "share": run.done_items / run.all_items * 100 if run.all_items else 0,
    }
    template = "erp/mrp_run_detail.html" + ("#facts" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)


@requires("erp.view_purchasing")
@require_safe
def supplier_performance(request: HttpRequest, code: str) -> HttpResponse:
    """A panel for the supplier's page: punctual, sound, and for who may see cost dear or not.

    Of all sites, or of the one that ``?site=`` names.
    """
    today = timezone.localdate()
    supplier = masterdata.supplier_ids().get(code)
    if supplier is None:
        raise Http404
    since = today - timedelta(days=selectors.JUDGED_DAYS)
    sites, named = masterdata.sites(), request.GET.get("site", "")
    site = next((one for one in sites if one.code == named), None)
    if named and site is None:
        raise Http404
    at = site.pk if site else None
    found = selectors.supplier_performance(
        supplier_id=supplier, since=since, today=today, site_id=at
    )
    sees_cost = allowed(request.user, "erp.view_cost")
    prices = (
        selectors.price_trend(supplier_id=supplier, since=since, site_id=at) if sees_cost else None
    )
    context = {
        "performance": found,
        "code": code,
        "prices": prices,
        "site": site or (sites[0] if len(sites) == 1 else None),
        "sites": sites if len(sites) > 1 else [],
    }
    return render(request, "erp/_supplier_performance.html", context)


def _override(request: AuthenticatedRequest, proposal: Proposal, form: OverrideForm) -> None:
    data, now = form.cleaned_data, timezone.now()
    if request.POST.get("action") == "reset":
        proposals.reset(proposal=proposal, version=data["version"], by=request.user, now=now)
        return
    proposals.override(
        proposal=proposal,
        quantity=data["quantity"],
        due_date=data["due_date"],
        supplier_id=int(data["supplier"]) if data["supplier"] else None,
        reason=data["reason"],
        version=data["version"],
        by=request.user,
        now=now,
    )


def _tell(request: HttpRequest, done: proposals.Accepted) -> None:
    if done.orders:
        numbers = ", ".join(order.number for order in done.orders[:5])
        count = len(done.orders)
        text = ngettext(
            "%(count)d purchase order is drafted: %(numbers)s.",
            "%(count)d purchase orders are drafted: %(numbers)s.",
            count,
        )
        messages.success(request, text % {"count": count, "numbers": numbers})
    if done.handed_over:
        count = done.handed_over
        text = ngettext(
            "%(count)d proposal is on its way to the shop floor.",
            "%(count)d proposals are on their way to the shop floor.",
            count,
        )
        messages.success(request, text % {"count": count})
    if done.changed:
        count = done.changed
        text = ngettext(
            "%(count)d purchase order is changed.", "%(count)d purchase orders are changed.", count
        )
        messages.success(request, text % {"count": count})
    for proposal, sentence in done.refused[:5]:
        messages.error(request, f"{proposal.item.code}: {sentence}")
    if len(done.refused) > 5:
        count = len(done.refused) - 5
        text = ngettext("%(count)d more was refused.", "%(count)d more were refused.", count)
        messages.error(request, text % {"count": count})


def _back(request: HttpRequest, place: Place) -> HttpResponse:
    url = place.at(reverse("erp:proposal-list"))
    show = request.POST.get("show", "")
    known = show in ("buy", "make", "changes", "overridden", "refused")
    return redirect(f"{url}{'&' if '?' in url else '?'}show={show}" if known else url)
