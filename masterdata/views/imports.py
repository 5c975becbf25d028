"""Import in three steps, and export."""

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from common.models import User
from common.permissions import allowed
from masterdata.enums import UploadStage
from masterdata.forms import UploadForm
from masterdata.models import ImportUpload
from masterdata.services import imports, uploads

HTTP_UNPROCESSABLE = 422
RECENT = 10
# Faults that the page lists; the file of them holds more.
SHOWN_FAULTS = 500
# Exports that hold costs or suppliers' prices.
WITH_COSTS = frozenset({"items", "cost_rates", "sites", "supplier_prices"})
# What a long job is at; "" before a worker has it.
PHASES = {
    "": gettext_lazy("Waiting for a worker"),
    "reading": gettext_lazy("Reading the file"),
    "checking": gettext_lazy("Checking the rows"),
    "writing": gettext_lazy("Checking again and writing the rows"),
}
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
        "recent": [
            (upload, imports.RESOURCES[upload.resource].label)
            for upload in uploads.recent(request.user)[:RECENT]
        ],
    }
    status = HTTP_UNPROCESSABLE if form.errors else 200
    return render(request, "masterdata/import_start.html", context, status=status)


@requires("masterdata.import")
def import_check(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """How far an upload is, its dry run and its outcome; found again at the same address.

    POST imports it, with ``take_good`` despite bad rows; ``act=discard`` forgets it.
    """
    upload = get_object_or_404(ImportUpload.objects.defer("content"), pk=pk)
    if request.method == "POST":
        if request.POST.get("act") == "discard":
            return _discard(request, upload)
        _confirm(request, upload)
        return redirect("masterdata:import-check", pk=pk)
    has_died = uploads.has_died(upload)
    faults = upload.report.get("bad", [])[:SHOWN_FAULTS]
    is_moving = upload.stage in (UploadStage.CHECKING, UploadStage.IMPORTING) and not has_died
    context = {
        "upload": upload,
        "stage": upload.stage,
        "resource": imports.RESOURCES[upload.resource],
        "outcome": upload.outcome,
        "report": upload.report,
        "faults": faults,
        "is_cut": upload.report.get("bad_count", 0) > len(faults),
        "has_good": upload.outcome.get("created", 0) + upload.outcome.get("changed", 0),
        "has_died": has_died,
        "is_moving": is_moving,
        "phase": PHASES.get(upload.progress.get("phase", ""), PHASES[""]),
    }
    template = "masterdata/import_check.html"
    is_fragment = request.htmx  # type: ignore[attr-defined]  # set by its middleware
    return render(request, template + ("#report" if is_fragment else ""), context)


@requires("masterdata.import")
@require_safe
def import_faults(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The faults of an upload as a file, more of them than its page lists."""
    upload = get_object_or_404(ImportUpload.objects.defer("content"), pk=pk)
    response = HttpResponse(imports.faults_csv(upload.report.get("bad", [])), content_type=CSV)
    response["Content-Disposition"] = f'attachment; filename="faults-{upload.pk}.csv"'
    return response


def _confirm(request: AuthenticatedRequest, upload: ImportUpload) -> None:
    try:
        plan = uploads.confirm(
            upload=upload,
            take_good=request.POST.get("take_good") == "yes",
            by=request.user,
            now=timezone.now(),
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return
    if plan is not None:
        messages.success(
            request,
            _("%(file)s: %(created)s created, %(changed)s changed.")
            % {
                "file": upload.file_name,
                "created": plan.outcome.created,
                "changed": plan.outcome.changed,
            },
        )


def _discard(request: AuthenticatedRequest, upload: ImportUpload) -> HttpResponse:
    try:
        uploads.discard(upload=upload)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("masterdata:import-check", pk=upload.pk)
    messages.success(request, _("%(file)s is discarded.") % {"file": upload.file_name})
    return redirect("masterdata:import-start")


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
