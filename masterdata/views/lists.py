"""The lists of this room and its home."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_filters.views import FilterView
from django_tables2.views import SingleTableMixin

from common.access import AuthenticatedRequest, requires
from common.permissions import allowed
from masterdata import filters, tables
from masterdata.selectors import pages
from masterdata.services.imports import RESOURCES
from masterdata.views.imports import may_export

# What stands on the home page, with the list behind it.
LISTS = {
    "calendars": "masterdata:calendar-list",
    "shifts": "masterdata:calendar-list",
    "calendar_exceptions": "masterdata:calendar-list",
    "sites": "masterdata:site-list",
    "skills": "masterdata:skill-list",
    "crews": "masterdata:skill-list",
    "tools": "masterdata:tool-list",
    "changeovers": "masterdata:work-center-list",
    "exchange_rates": "masterdata:exchange-rate-list",
    "cost_rates": "masterdata:work-center-list",
    "supplier_prices": "masterdata:supplier-list",
    "operation_alternatives": "masterdata:item-list",
    "operation_checks": "masterdata:item-list",
    "items": "masterdata:item-list",
    "bom_lines": "masterdata:item-list",
    "routing_operations": "masterdata:item-list",
    "work_centers": "masterdata:work-center-list",
    "work_units": "masterdata:work-unit-list",
    "customers": "masterdata:customer-list",
    "suppliers": "masterdata:supplier-list",
}


@requires("masterdata.view")
@require_safe
def home(request: AuthenticatedRequest) -> HttpResponse:
    """How much there is of each kind, with its list and its exports."""
    kinds = list(RESOURCES.values())
    counts = pages.counts([kind.model for kind in kinds])
    rows = [
        (kind, count, LISTS.get(kind.name), may_export(request.user, kind.name))
        for kind, count in zip(kinds, counts, strict=True)
    ]
    context = {"rows": rows, "can_import": allowed(request.user, "masterdata.import")}
    return render(request, "masterdata/home.html", context)


class MasterList(SingleTableMixin, FilterView):  # type: ignore[misc]
    """A filtered, sorted, paged list; ``resource`` names its export."""

    template_name = "masterdata/list.html"
    select: Callable[[], QuerySet[Any]]
    resource = ""
    create_url = ""
    create_permission = "masterdata.edit"

    def get_queryset(self) -> QuerySet[Any]:
        return self.select()

    def get_table_kwargs(self) -> dict[str, Any]:
        # The length of a page is ours to choose: no parameter of the URL is read for it.
        hidden = () if allowed(self.request.user, "erp.view_cost") else ("standard_cost",)
        return {"per_page_field": "", "exclude": hidden}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        can_create = self.create_url and allowed(self.request.user, self.create_permission)
        return context | {
            "title": RESOURCES[self.resource].label,
            "resource": self.resource,
            "create_url": self.create_url if can_create else "",
            "can_import": allowed(self.request.user, "masterdata.import"),
            "can_export": may_export(self.request.user, self.resource),
        }

    def get_template_names(self) -> list[str]:
        return [f"{self.template_name}#rows" if self.request.htmx else self.template_name]


@requires("masterdata.view")
class ItemList(MasterList):
    table_class = tables.ItemTable
    filterset_class = filters.ItemFilter
    resource = "items"
    create_url = "masterdata:item-create"
    select = staticmethod(pages.items)


@requires("masterdata.view")
class WorkUnitList(MasterList):
    table_class = tables.WorkUnitTable
    filterset_class = filters.WorkUnitFilter
    resource = "work_units"
    create_url = "masterdata:work-unit-create"
    select = staticmethod(pages.work_units)


@requires("masterdata.view")
class SiteList(MasterList):
    table_class = tables.SiteTable
    filterset_class = filters.SiteFilter
    resource = "sites"
    create_url = "masterdata:site-create"
    select = staticmethod(pages.sites_with_centers)


@requires("masterdata.view")
class CalendarList(MasterList):
    table_class = tables.CalendarTable
    filterset_class = filters.CalendarFilter
    resource = "calendars"
    create_url = "masterdata:calendar-create"

    def get_queryset(self) -> QuerySet[Any]:
        return pages.calendars(at=timezone.now())


@requires("masterdata.view")
class WorkCenterList(MasterList):
    table_class = tables.WorkCenterTable
    filterset_class = filters.WorkCenterFilter
    resource = "work_centers"
    create_url = "masterdata:work-center-create"
    select = staticmethod(pages.work_centers)


@requires("masterdata.view")
class SkillList(MasterList):
    table_class = tables.SkillTable
    filterset_class = filters.SkillFilter
    resource = "skills"
    create_url = "masterdata:skill-create"
    select = staticmethod(pages.skills)


@requires("masterdata.view")
class ToolList(MasterList):
    table_class = tables.ToolTable
    filterset_class = filters.ToolFilter
    resource = "tools"
    create_url = "masterdata:tool-create"
    select = staticmethod(pages.tools)


@requires("masterdata.view")
class ExchangeRateList(MasterList):
    table_class = tables.ExchangeRateTable
    filterset_class = filters.ExchangeRateFilter
    resource = "exchange_rates"
    create_url = "masterdata:exchange-rate-create"
    select = staticmethod(pages.exchange_rates)


@requires("masterdata.view")
class CustomerList(MasterList):
    table_class = tables.CustomerTable
    filterset_class = filters.CustomerFilter
    resource = "customers"
    create_url = "masterdata:customer-create"
    create_permission = "masterdata.edit_customer"
    select = staticmethod(pages.customers)


@requires("masterdata.view")
class SupplierList(MasterList):
    table_class = tables.SupplierTable
    filterset_class = filters.SupplierFilter
    resource = "suppliers"
    create_url = "masterdata:supplier-create"
    create_permission = "masterdata.edit_supplier"
    select = staticmethod(pages.suppliers)
