"""The lists of the master data."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from common.tables import LinkColumn, MoneyColumn, QuantityColumn, Table


class ItemTable(Table):
    caption = _("Items")

    code = LinkColumn(linkify=("masterdata:item-detail", {"code": tables.A("code")}))
    label = tables.Column(verbose_name=_("Name"), order_by="name")
    supply = tables.Column()
    category = tables.Column()
    lead_time_days = QuantityColumn()
    standard_cost = MoneyColumn()
    list_price = MoneyColumn()
    bom_count = QuantityColumn(verbose_name=_("BOMs"))
    routing_count = QuantityColumn(verbose_name=_("Routings"))

    class Meta(Table.Meta):
        abstract = False
        empty_text = _("No item fits. Import items or widen the filter.")


class WorkUnitTable(Table):
    caption = _("Work units")

    code = LinkColumn(linkify=("masterdata:work-unit-edit", {"code": tables.A("code")}))
    label = tables.Column(verbose_name=_("Name"), order_by="name")
    work_center = tables.Column(accessor="work_center__code", verbose_name=_("Work center"))
    site = tables.Column(accessor="work_center__site__code", verbose_name=_("Site"))
    used_calendar = tables.Column(verbose_name=_("Calendar"), empty_values=(), orderable=False)
    energy_kw = QuantityColumn()
    is_active = tables.BooleanColumn()

    class Meta(Table.Meta):
        abstract = False
        empty_text = _("No work unit fits. Import work units or widen the filter.")

    def render_used_calendar(self, record: object) -> str:
        calendar = getattr(record, "calendar", None) or record.work_center.calendar  # type: ignore[attr-defined]
        return str(calendar.code)


class CustomerTable(Table):
    caption = _("Customers")

    code = LinkColumn(linkify=("masterdata:customer-edit", {"code": tables.A("code")}))
    label = tables.Column(verbose_name=_("Name"), order_by="name")
    language = tables.Column()
    currency = tables.Column()
    weight = QuantityColumn()
    transit_days = QuantityColumn()
    is_active = tables.BooleanColumn()

    class Meta(Table.Meta):
        abstract = False
        empty_text = _("No customer fits. Import customers or widen the filter.")


class SupplierTable(Table):
    caption = _("Suppliers")

    code = tables.Column()
    label = tables.Column(verbose_name=_("Name"), order_by="name")
    price_count = QuantityColumn(verbose_name=_("Prices"))
    is_active = tables.BooleanColumn()

    class Meta(Table.Meta):
        abstract = False
        empty_text = _("No supplier fits. Import suppliers or widen the filter.")
