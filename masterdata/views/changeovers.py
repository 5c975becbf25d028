"""The changeover times of a work center on one screen."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from common.permissions import allowed
from masterdata.forms import MatrixForm, posted_families
from masterdata.forms.matrix import MAX_FAMILIES
from masterdata.models import WorkCenter
from masterdata.selectors import pages
from masterdata.services import changeovers
from masterdata.views import editing


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def work_center_changeovers(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """From each setup family to each other; ``act=add`` only shows one family more."""
    center = get_object_or_404(WorkCenter, code=code)
    form = _form(request, center)
    if request.method != "POST" or not form.is_valid() or form.is_too_long:
        return _render(request, center, form, is_bad=request.method == "POST")
    if request.POST.get("act") == "add":
        return _render(request, center, _with_new(form, center))
    try:
        changeovers.save(
            center=center,
            minutes=form.minutes(),
            version=editing.opened(request),
            by=request.user,
            now=timezone.now(),
        )
    except Refused as refusal:
        return _render(request, center, form, is_bad=True, error=str(refusal))
    messages.success(request, _("The changeover times of %(code)s are saved.") % {"code": code})
    return redirect("masterdata:work-center-edit", code=code)


def _form(request: AuthenticatedRequest, center: WorkCenter) -> MatrixForm:
    stored = pages.changeovers_of(center)
    if request.method != "POST":
        families = pages.families_of(center)
        return MatrixForm(None, families=families, minutes=stored, version=center.version)
    # One more than a page can send tells that there are too many; all their cells would take long.
    families = posted_families(request.POST.getlist("family"))[: MAX_FAMILIES + 1]
    return MatrixForm(request.POST, families=families, minutes=stored, version=center.version)


def _with_new(form: MatrixForm, center: WorkCenter) -> MatrixForm:
    """What was typed, unsaved, with a row and a column for the new family."""
    wanted = posted_families([*form.families, form.cleaned_data["new_family"]])
    version = form.cleaned_data["version"] or 0
    return MatrixForm(None, families=wanted, minutes=form.minutes(), version=version)


def _render(
    request: AuthenticatedRequest,
    center: WorkCenter,
    form: MatrixForm,
    *,
    is_bad: bool = False,
    error: str = "",
) -> HttpResponse:
    context = {
        "center": center,
        "form": form,
        "error": error,
        "is_too_long": form.is_too_long,
        "can_save": allowed(request.user, "masterdata.edit") and not form.is_too_long,
    }
    status = editing.HTTP_UNPROCESSABLE if is_bad else 200
    return render(request, "masterdata/changeovers_form.html", context, status=status)
