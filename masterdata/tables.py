"""The lists of the master data."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from common.tables import DateColumn, LinkColumn, MoneyColumn, QuantityColumn, Table
from common.templatetags.ui_format import minutes
from masterdata.models import Calendar
from masterdata.services import weeks


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


class SiteTable(Table):
    caption = _("Sites")

    code = LinkColumn(linkify=("masterdata:site-edit", {"code": tables.A("code")}))
    label = tables.Column(verbose_name=_("Name"), order_by="name")
    time_zone = tables.Column()
    calendar = tables.Column(accessor="calendar__code", verbose_name=_("Calendar"))
    shipping_calendar = tables.Column(
        accessor="shipping_calendar__code", verbose_name=_("Shipping calendar")
    )
    currency = tables.Column()
    center_count = QuantityColumn(verbose_name=_("Work centers"), default=0)

    class Meta(Table.Meta):
        abstract = False
        empty_text = _("No site fits. Enter one: orders, stock and plans belong to a site.")


class CalendarTable(Table):
    caption = _("Calendars")

    code = LinkColumn(linkify=("masterdata:calendar-edit", {"code": tables.A("code")}))
    label = tables.Column(verbose_name=_("Name"), order_by="name")
    time_zone = tables.Column()
    hours = tables.Column(
        verbose_name=_("Hours per week"),
        empty_values=(),
        orderable=False,
        attrs={"th": {"class": "num"}, "td": {"class": "num number"}},
    )
    coming = QuantityColumn(verbose_name=_("Exceptions ahead"))

    class Meta(Table.Meta):
        abstract = False
        empty_text = _("No calendar fits. Enter one: sites and machines work by a calendar.")

    def render_hours(self, record: Calendar) -> str:
        return minutes(weeks.minutes_per_week(record.shifts.all()))


class WorkCenterTable(Table):
    caption = _("Work centers")

    code = LinkColumn(linkify=("masterdata:work-center-edit", {"code": tables.A("code")}))
    label = tables.Column(verbose_name=_("Name"), order_by="name")
    site = tables.Column(accessor="site__code", verbose_name=_("Site"))
    calendar = tables.Column(accessor="calendar__code", verbose_name=_("Calendar"))
    unit_count = QuantityColumn(verbose_name=_("Work units"))
    active_count = QuantityColumn(verbose_name=_("Active"))

    class Meta(Table.Meta):
        abstract = False
        empty_text = _("No work center fits. Enter one: routings name work centers.")


class SkillTable(Table):
    caption = _("Skills")

    code = LinkColumn(linkify=("masterdata:skill-edit", {"code": tables.A("code")}))
    label = tables.Column(verbose_name=_("Name"), order_by="name")
    crew_count = QuantityColumn(verbose_name=_("Crews"))
    people_count = QuantityColumn(verbose_name=_("People"), default=0)

    class Meta(Table.Meta):
        abstract = False
        empty_text = _("No skill fits. Enter one where people are scarcer than machines.")


class ToolTable(Table):
    caption = _("Tools")

    code = LinkColumn(linkify=("masterdata:tool-edit", {"code": tables.A("code")}))
    label = tables.Column(verbose_name=_("Name"), order_by="name")
    site = tables.Column(accessor="site__code", verbose_name=_("Site"))
    quantity = QuantityColumn()
    is_active = tables.BooleanColumn()

    class Meta(Table.Meta):
        abstract = False
        empty_text = _("No tool fits. Enter those that several machines share.")


class ExchangeRateTable(Table):
    caption = _("Exchange rates")

    source = LinkColumn(linkify=("masterdata:exchange-rate-edit", {"pk": tables.A("pk")}))
    target = tables.Column()
    rate = QuantityColumn()
    valid_from = DateColumn(year=True)

    class Meta(Table.Meta):
        abstract = False
        empty_text = _(
            "No rate fits. Enter one for each foreign currency that something is paid in."
        )


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

    code = LinkColumn(linkify=("masterdata:supplier-edit", {"code": tables.A("code")}))
    label = tables.Column(verbose_name=_("Name"), order_by="name")
    price_count = QuantityColumn(verbose_name=_("Prices"))
    is_active = tables.BooleanColumn()

    class Meta(Table.Meta):
        abstract = False
        empty_text = _("No supplier fits. Import suppliers or widen the filter.")
