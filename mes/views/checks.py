"""What to do with a value outside its limits."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from common.access import AuthenticatedRequest, requires
from common.errors import told
from mes.enums import Decision
from mes.models import CheckResult
from mes.services import checks


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
