"""The checks of one operation of a routing, all as rows."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from common.permissions import allowed
from masterdata.forms import CheckFormSet, Rows
from masterdata.models import RoutingOperation
from masterdata.services import checks
from masterdata.views import editing


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def operation_checks(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """Checks of the operation named by ``?revision=`` and ``?sequence=``."""
    operation = _operation(request, code)
    rows = CheckFormSet(request.POST or None, initial=_initial(operation))
    error = ""
    if request.method == "POST" and rows.is_valid():
        try:
            checks.save(
                operation=operation,
                checks=[checks.Check(**data) for data in rows.kept()],
                version=editing.opened(request),
                by=request.user,
                now=timezone.now(),
            )
        except Refused as refusal:
            error = str(refusal)
        else:
            messages.success(request, _("The checks are saved."))
            return redirect("masterdata:item-detail", code=code)
    return _render(request, operation, rows, error)


def _operation(request: AuthenticatedRequest, code: str) -> RoutingOperation:
    sequence = request.GET.get("sequence", "")
    found = RoutingOperation.objects.select_related("routing__item").filter(
        routing__item__code=code,
        routing__revision=request.GET.get("revision", ""),
        sequence=int(sequence) if sequence.isdecimal() and len(sequence) < 10 else 0,
    )
    operation = found.first()
    if operation is None:
        raise Http404
    return operation


def _initial(operation: RoutingOperation) -> list[dict[str, Any]]:
    rows = []
    for row in operation.checks.order_by("position"):
        values = {name: getattr(row, name) for name in checks.Check.__slots__}
        for name in ("lower", "target", "upper"):
            if values[name] is not None:
                values[name] = f"{values[name].normalize():f}"
        rows.append(values)
    return rows


def _render(
    request: AuthenticatedRequest, operation: RoutingOperation, rows: Rows, error: str
) -> HttpResponse:
    is_bad = request.method == "POST"
    context = {
        "operation": operation,
        "item": operation.routing.item,
        "rows": rows,
        "error": error,
        "version": editing.opened(request) if is_bad else operation.routing.version,
        "can_save": allowed(request.user, "masterdata.edit"),
    }
    status = editing.HTTP_UNPROCESSABLE if is_bad else 200
    return render(request, "masterdata/checks_form.html", context, status=status)
