"""Filters of the lists; they live in the URL."""

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from masterdata.enums import Supply
from masterdata.models import (
    Calendar,
    Customer,
    ExchangeRate,
    Item,
    Site,
    Skill,
    Supplier,
    Tool,
    WorkCenter,
    WorkUnit,
)


class _TextFilter(filters.FilterSet):  # type: ignore[misc]
    """``q`` looks in the code and both names."""

    q = filters.CharFilter(
        method="search", label=_("Code or name"), widget=forms.TextInput(attrs={"type": "search"})
    )

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(
            Q(code__icontains=value) | Q(name__icontains=value) | Q(name_zh__icontains=value)
        )


class ItemFilter(_TextFilter):
    supply = filters.ChoiceFilter(choices=Supply.choices, label=_("Supply"))
    lacks = filters.ChoiceFilter(
        choices=[("bom", _("No BOM")), ("routing", _("No routing"))],
        method="filter_lacks",
        label=_("Lacks"),
    )

    class Meta:
        model = Item
        fields = ("q", "supply", "lacks")

    def filter_lacks(self, rows: QuerySet[Item], name: str, value: str) -> QuerySet[Item]:
        """Made items that cannot be made as they are."""
        return rows.filter(**{"supply": Supply.MAKE, f"{value}_count": 0})


class WorkUnitFilter(_TextFilter):
    work_center = filters.ModelChoiceFilter(
        queryset=WorkCenter.objects.order_by("code"), label=_("Work center")
    )

    class Meta:
        model = WorkUnit
        fields = ("q", "work_center")


class SiteFilter(_TextFilter):
    class Meta:
        model = Site
        fields = ("q",)


class CalendarFilter(_TextFilter):
    class Meta:
        model = Calendar
        fields = ("q",)


class WorkCenterFilter(_TextFilter):
    site = filters.ModelChoiceFilter(queryset=Site.objects.order_by("code"), label=_("Site"))

    class Meta:
        model = WorkCenter
        fields = ("q", "site")


class SkillFilter(_TextFilter):
    class Meta:
        model = Skill
        fields = ("q",)


class ToolFilter(_TextFilter):
    site = filters.ModelChoiceFilter(queryset=Site.objects.order_by("code"), label=_("Site"))

    class Meta:
        model = Tool
        fields = ("q", "site")


class ExchangeRateFilter(filters.FilterSet):  # type: ignore[misc]
    """``q`` looks in both currencies."""

    q = filters.CharFilter(
        method="search", label=_("Currency"), widget=forms.TextInput(attrs={"type": "search"})
    )

    class Meta:
        model = ExchangeRate
        fields = ("q",)

    def search(self, rows: QuerySet[ExchangeRate], name: str, value: str) -> QuerySet[ExchangeRate]:
        return rows.filter(Q(source__icontains=value) | Q(target__icontains=value))


class CustomerFilter(_TextFilter):
    class Meta:
        model = Customer
        fields = ("q",)


class SupplierFilter(_TextFilter):
    class Meta:
        model = Supplier
        fields = ("q",)
