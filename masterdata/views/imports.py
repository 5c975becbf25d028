"""Import in three steps, and export."""

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from common.models import User
from common.permissions import allowed
from masterdata.forms import UploadForm
from masterdata.models import ImportUpload
from masterdata.services import imports, uploads

HTTP_UNPROCESSABLE = 422
# Bad rows on the page; the number of all is stated above them.
SHOWN = 500
# Exports that hold costs or suppliers' prices.
WITH_COSTS = frozenset({"items", "cost_rates", "supplier_prices"})
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@requires("masterdata.import")
def import_start(request: AuthenticatedRequest) -> HttpResponse:
    """Choose a kind and a file; ``?resource=`` preselects the kind and shows its columns."""
    chosen = request.GET.get("resource", "items")
    form = UploadForm(request.POST or None, request.FILES or None, initial={"resource": chosen})
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            upload = uploads.receive(
                resource=form.cleaned_data["resource"],
                file_name=file.name,
                content=file.read(),
                by=request.user,
                now=timezone.now(),
            )
        except Refused as refusal:
            form.add_error("file", str(refusal))
        else:
            return redirect("masterdata:import-check", pk=upload.pk)
    resource = imports.RESOURCES.get(form.data.get("resource", chosen))
    context = {
        "form": form,
        "resource": resource,
        "columns": imports.template_rows(resource) if resource else [],
    }
    status = HTTP_UNPROCESSABLE if form.errors else 200
    return render(request, "masterdata/import_start.html", context, status=status)


@requires("masterdata.import")
def import_check(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The dry run of an upload; POST imports it, with ``take_good`` despite bad rows."""
    upload = get_object_or_404(ImportUpload, pk=pk)
    if request.method == "POST":
        try:
            plan = uploads.confirm(
                upload=upload,
                take_good=request.POST.get("take_good") == "yes",
                by=request.user,
                now=timezone.now(),
            )
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(
                request,
                _("%(file)s: %(created)s created, %(changed)s changed.")
                % {
                    "file": upload.file_name,
                    "created": plan.outcome.created,
                    "changed": plan.outcome.changed,
                },
            )
        return redirect("masterdata:import-check", pk=pk)
    return render(request, "masterdata/import_check.html", _checked(upload))


@requires("masterdata.view")
@require_safe
def export(request: AuthenticatedRequest, name: str, suffix: str) -> HttpResponse:
    """All rows of a kind as a file that imports again unchanged."""
    resource = imports.RESOURCES.get(name)
    if resource is None or suffix not in ("csv", "xlsx"):
        raise Http404
    if not may_export(request.user, name):
        raise PermissionDenied
    if suffix == "csv":
        response = HttpResponse(imports.export_csv(resource), content_type=CSV)
    else:
        response = HttpResponse(imports.export_xlsx(resource), content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="{name}.{suffix}"'
    return response


def may_export(user: User | AnonymousUser, name: str) -> bool:
    """Whether the user may take all rows of a kind away: costs are not for everybody."""
    return name not in WITH_COSTS or allowed(user, "erp.view_cost")


def _checked(upload: ImportUpload) -> dict[str, object]:
    context: dict[str, object] = {
        "upload": upload,
        "resource": imports.RESOURCES[upload.resource],
        "outcome": upload.outcome,
    }
    if upload.imported_at is None:
        try:
            plan = uploads.check(upload=upload)
        except Refused as refusal:
            return context | {"unreadable": str(refusal)}
        context |= {
            "outcome": plan.outcome,
            "bad": plan.bad[:SHOWN],
            "bad_count": len(plan.bad),
            "has_good": plan.outcome.created + plan.outcome.changed,
            "changes": plan.changed[:50],
        }
    return context
