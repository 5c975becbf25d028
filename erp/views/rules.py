"""The site's rules for planning and purchasing, and what is ordered by itself."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from common.access import AuthenticatedRequest, requires
from common.errors import Refused, told
from common.permissions import allowed
from erp import selectors
from erp.forms_rules import AutoOrderRuleForm, SupplyRuleForm
from erp.services import auto_ordering, supply_rules
from erp.views.place import Place, place_or_404


@requires({"GET": "erp.view_planning", "HEAD": "erp.view_planning", "POST": "erp.plan_supply"})
def rules(request: AuthenticatedRequest) -> HttpResponse:
    """The rules of the site; below them those of single items and suppliers."""
    place, site = place_or_404(request)
    form = SupplyRuleForm(request.POST or None, instance=selectors.supply_rule(site))
    if request.method == "POST" and form.is_valid():
        with told(request):
            supply_rules.save(
                rule=form.save(commit=False),
                opened=form.cleaned_data["opened"],
                by=request.user,
                now=timezone.now(),
            )
            messages.success(request, _("The rules are saved."))
        return _again(place)
    return _page(request, place, form, AutoOrderRuleForm())


@requires("erp.plan_supply")
@require_POST
def rule_add(request: AuthenticatedRequest) -> HttpResponse:
    """Order an item, from a supplier or both, by itself up to a value."""
    place, site = place_or_404(request)
    form = AutoOrderRuleForm(request.POST)
    if form.is_valid():
        try:
            auto_ordering.save(
                site_id=site,
                item_id=form.cleaned_data["item"],
                supplier_id=form.cleaned_data["supplier"],
                limit=form.cleaned_data["limit"],
                reason=form.cleaned_data["reason"],
                by=request.user,
                now=timezone.now(),
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("The rule is saved."))
            return _again(place)
    return _page(request, place, SupplyRuleForm(instance=selectors.supply_rule(site)), form)


@requires("erp.plan_supply")
@require_POST
def rule_remove(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Let the wider rules count again."""
    place, site = place_or_404(request)
    found = [rule for rule in selectors.auto_order_rules(site_id=site) if rule.pk == pk]
    if not found:
        raise Http404
    auto_ordering.remove(rule=found[0], by=request.user, now=timezone.now())
    messages.success(request, _("The rule is removed."))
    return _again(place)


def _again(place: Place) -> HttpResponse:
    return redirect(place.at(reverse("erp:supply-rules")))


def _page(
    request: AuthenticatedRequest, place: Place, form: SupplyRuleForm, narrow: AutoOrderRuleForm
) -> HttpResponse:
    context = {
        "place": place,
        "form": form,
        "narrow": narrow,
        "rules": selectors.auto_order_rules(site_id=place.pk or 0),
        "currency": place.site.currency if place.site else "",
        "can_save": allowed(request.user, "erp.plan_supply"),
    }
    status = 422 if form.errors or narrow.errors else 200
    return render(request, "erp/supply_rules.html", context, status=status)
