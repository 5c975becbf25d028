"""Where each role's day begins."""

from django.http import HttpResponse
from django.shortcuts import redirect, render

from common.access import AuthenticatedRequest, requires
from common.enums import Role

# A person with several roles starts where the first of them in this table does.
FIRST_PAGE: dict[Role, str] = {
    Role.CUSTOMER: "portal:order-list",
    Role.SALES: "crm:order-list",
    Role.PLANNER: "aps:board",
    Role.SUPERVISOR: "mes:dispatch-list",
    Role.OPERATOR: "mes:dispatch-list",
    Role.PURCHASING: "mes:shortage-list",
    Role.WAREHOUSE: "crm:shipment-list",
    Role.QUALITY: "mes:nonconformances",
    Role.AFTER_SALES: "crm:ticket-overview",
    Role.MANAGER: "crm:order-list",
    Role.ADMINISTRATOR: "common:job-list",
}


@requires("common.use_account")
def home(request: AuthenticatedRequest) -> HttpResponse:
    """Go to the role's first page; say so to who has no role."""
    for role, name in FIRST_PAGE.items():
        if request.user.has_role(role):
            return redirect(name)
    return render(request, "common/home.html")
