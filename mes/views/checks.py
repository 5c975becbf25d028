"""Checks on plain pages: the answer, and what to do with one outside its limits."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common import idempotency
from common.access import AuthenticatedRequest, requires
from common.errors import told
from common.permissions import allowed
from common.templatetags import ui_format
from masterdata.enums import CheckKind
from mes import selectors
from mes.enums import Decision
from mes.forms import CheckForm
from mes.models import CheckResult, WorkOrderCheck
from mes.services import checks
from mes.views.dispatch import back

PAGE_SIZE = 50


@requires("mes.execute_operation")
@require_POST
def operation_check(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Answer one check of the operation, once however often the form is sent."""
    form = CheckForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Type the value as a number, such as 17.95."))
        return back(request)
    data = form.cleaned_data
    rows = WorkOrderCheck.objects.select_related("operation")
    check = get_object_or_404(rows, operation=pk, position=data["position"])
    noted: list[CheckResult] = []
    now = timezone.now()

    def effect() -> str:
        is_asked = check.kind == CheckKind.PASS and data["passed"] != ""
        result = checks.record(
            check=check,
            value=data["value"],
            is_good=data["passed"] == "1" if is_asked else None,
            replaces=selectors.open_fault(check) if data["again"] else None,
            by=request.user,
            now=now,
        )
        noted.append(result)
        return ""

    said = [str(data[name]) for name in ("position", "value", "passed", "again")]
    with told(request):
        idempotency.once(
            user=request.user,
            key=data["idempotency_key"] or idempotency.new_key(),
            fingerprint=idempotency.fingerprint("operation-check", pk, *said),
            now=now,
            effect=effect,
        )
    for result in noted:
        _say(request, check, result)
    return back(request)


def _say(request: HttpRequest, check: WorkOrderCheck, result: CheckResult) -> None:
    """What was noted, and what has to happen where it is not as it should be."""
    facts = {"name": check.label}
    if result.value is not None:
        facts["value"] = ui_format.quantity(result.value, check.unit)
    if result.is_good:
        noted = _("Noted: %(name)s %(value)s.") if "value" in facts else _("Passed: %(name)s.")
        messages.success(request, noted % facts)
        return
    fault = (
        _("%(name)s is out of its limits with %(value)s.")
        if "value" in facts
        else _("%(name)s has failed.")
    )
    if check.is_required:
        todo = _(
            "Measure again, or a supervisor or quality decides; "
            "until then the operation cannot be finished."
        )
    else:
        todo = _("It is noted; the operation may be finished.")
    messages.warning(request, f"{fault % facts} {todo}")


@requires("mes.view_quality")
@require_safe
def undecided(request: HttpRequest) -> HttpResponse:
    """Checks that failed and that nobody decided or measured again yet."""
    text = request.GET.get("q", "").replace("\x00", "")
    found = selectors.undecided_faults(text=text)
    context = {
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "q": text,
        "can_decide": allowed(request.user, "mes.decide_check"),
        "can_report": allowed(request.user, "mes.report_nonconformance"),
    }
    template = "mes/quality/check_faults.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)


@requires("mes.decide_check")
@require_POST
def check_decide(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Accept it as it is, or reject it; back to where the person came from."""
    rows = CheckResult.objects.select_related("check_row__operation__work_order")
    result = get_object_or_404(rows, pk=pk)
    accepts = request.POST.get("decision") == Decision.ACCEPT
    with told(request):
        checks.decide(
            result=result,
            decision=Decision.ACCEPT if accepts else Decision.REJECT,
            reason=request.POST.get("reason", ""),
            by=request.user,
            now=timezone.now(),
        )
    number = result.check_row.operation.work_order.number
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = reverse("mes:work-order-detail", args=[number])
    return HttpResponseRedirect(target)
