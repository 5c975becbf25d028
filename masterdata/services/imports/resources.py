"""What can be imported: the files, their columns, and which columns say which row it is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from masterdata.models import (
    Bom,
    BomLine,
    Calendar,
    CalendarException,
    Changeover,
    CostRate,
    Crew,
    Customer,
    ExchangeRate,
    Item,
    OperationAlternative,
    OperationCheck,
    Routing,
    RoutingOperation,
    Shift,
    Site,
    Skill,
    Supplier,
    SupplierPrice,
    Tool,
    WorkCenter,
    WorkUnit,
)
from masterdata.services.imports import rules
from masterdata.services.imports.columns import Column
from masterdata.services.imports.parsed import Parsed
from masterdata.services.imports.reading import BadRow, Table

Values = dict[str, Any]
RowRule = Callable[[Values], Iterable[tuple[str, str]]]
TableRule = Callable[[Table, list[Parsed]], Iterable[BadRow]]


@dataclass(frozen=True)
class Parent:
    """The row above, told by other columns of the same line."""

    model: type[models.Model]
    # The child's foreign key.
    attribute: str
    columns: tuple[Column, ...]
    # Column name to the look-up that finds the parent; together they name one.
    key: Mapping[str, str]
    # Whether the file writes the parent too, or only points at it.
    is_written: bool = True


@dataclass(frozen=True)
class Resource:
    """One kind of file."""

    name: str
    label: StrPromise
    model: type[models.Model]
    columns: tuple[Column, ...]
    # Attributes that name a row, below its parent where it has one.
    key: tuple[str, ...]
    parent: Parent | None = None
    row_rules: tuple[RowRule, ...] = ()
    table_rules: tuple[TableRule, ...] = field(default=())

    @property
    def all_columns(self) -> tuple[Column, ...]:
        return (*(self.parent.columns if self.parent else ()), *self.columns)


def _columns(model: type[models.Model], names: str) -> tuple[Column, ...]:
    """``code* name=label``: a star where required, ``column=field`` where they differ."""
    columns = []
    for word in names.split():
        spoken, _equals, name = word.rstrip("*").partition("=")
        model_field: Any = model._meta.get_field(name or spoken)
        columns.append(Column(spoken, model_field, required=word.endswith("*")))
    return tuple(columns)


def _bom_parent() -> Parent:
    columns = _columns(Bom, "item* revision valid_from* valid_to")
    return Parent(Bom, "bom", columns, {"item": "item_id", "revision": "revision"})


def _routing_parent() -> Parent:
    columns = _columns(Routing, "item* revision valid_from* valid_to")
    return Parent(Routing, "routing", columns, {"item": "item_id", "revision": "revision"})


def _operation_parent() -> Parent:
    return Parent(
        RoutingOperation,
        "operation",
        (*_columns(Routing, "item* revision"), *_columns(RoutingOperation, "sequence*")),
        {"item": "routing__item_id", "revision": "routing__revision", "sequence": "sequence"},
        is_written=False,
    )


_ALL = (
    Resource(
        "calendars",
        _("Calendars"),
        Calendar,
        _columns(Calendar, "code* name* name_zh time_zone"),
        ("code",),
        row_rules=(rules.time_zone_exists,),
    ),
    Resource(
        "shifts",
        _("Shifts"),
        Shift,
        _columns(Shift, "calendar* weekday* starts_at* ends_at*"),
        ("calendar_id", "weekday", "starts_at"),
        row_rules=(rules.weekday_exists,),
    ),
    Resource(
        "calendar_exceptions",
        _("Calendar exceptions"),
        CalendarException,
        _columns(CalendarException, "calendar* starts_at* ends_at* is_working reason"),
        ("calendar_id", "starts_at"),
        row_rules=(rules.moments_in_order,),
    ),
    Resource(
        "sites",
        _("Sites"),
        Site,
        _columns(
            Site,
            "code* name* name_zh time_zone calendar* shipping_calendar* currency energy_price "
            "street town country",
        ),
        ("code",),
        row_rules=(rules.time_zone_exists, rules.currency_has_three_letters),
    ),
    Resource(
        "work_centers",
        _("Work centers"),
        WorkCenter,
        _columns(WorkCenter, "code* name* name_zh site* calendar*"),
        ("code",),
    ),
    Resource(
        "work_units",
        _("Work units"),
        WorkUnit,
        _columns(WorkUnit, "code* name* name_zh work_center* calendar energy_kw is_active"),
        ("code",),
    ),
    Resource(
        "skills",
        _("Skills"),
        Skill,
        _columns(Skill, "code* name* name_zh"),
        ("code",),
    ),
    Resource(
        "crews",
        _("Crews"),
        Crew,
        _columns(Crew, "skill* site* calendar* people*"),
        ("skill_id", "site_id", "calendar_id"),
        row_rules=(rules.somebody_is_there,),
    ),
    Resource(
        "tools",
        _("Tools"),
        Tool,
        _columns(Tool, "code* name* name_zh site* quantity is_active"),
        ("code",),
        row_rules=(rules.tool_is_there,),
    ),
    Resource(
        "changeovers",
        _("Changeovers"),
        Changeover,
        _columns(Changeover, "work_center* from_family to_family minutes*"),
        ("work_center_id", "from_family", "to_family"),
        row_rules=(rules.changeover_within_a_week,),
    ),
    Resource(
        "exchange_rates",
        _("Exchange rates"),
        ExchangeRate,
        _columns(ExchangeRate, "source* target* rate* valid_from*"),
        ("source", "target", "valid_from"),
        row_rules=(rules.two_currencies,),
    ),
    Resource(
        "cost_rates",
        _("Cost rates"),
        CostRate,
        _columns(CostRate, "work_center* kind* amount_per_hour* currency valid_from*"),
        ("work_center_id", "kind", "valid_from"),
        row_rules=(rules.currency_has_three_letters,),
        table_rules=(rules.currencies_are_exchanged,),
    ),
    Resource(
        "items",
        _("Items"),
        Item,
        _columns(
            Item,
            "code* name* name_zh supply* uom category is_sold lead_time_days scrap_rate"
            " lot_policy lot_size lot_period_days safety_stock tracking supplier_lot_required"
            " expiry_required shelf_life_days warranty_months may_be_negative issue_method"
            " energy_kwh_per_unit standard_cost list_price is_active",
        ),
        ("code",),
        row_rules=(
            rules.scrap_is_a_share,
            rules.lot_policy_is_complete,
            rules.tracking_policy_fits,
        ),
    ),
    Resource(
        "bom_lines",
        _("BOM lines"),
        BomLine,
        _columns(
            BomLine,
            "position* component* quantity_per* uom scrap_rate issue_method"
            " line_valid_from=valid_from line_valid_to=valid_to",
        ),
        ("position",),
        parent=_bom_parent(),
        row_rules=(rules.scrap_is_a_share, rules.quantity_is_positive, rules.line_days_in_order),
        table_rules=(rules.no_overlapping_boms, rules.no_overlapping_lines, rules.no_cycles),
    ),
    Resource(
        "customers",
        _("Customers"),
        Customer,
        _columns(
            Customer,
            "code* name* name_zh language currency weight transit_days email is_active",
        ),
        ("code",),
        row_rules=(rules.weight_is_positive, rules.currency_has_three_letters),
    ),
    Resource(
        "suppliers",
        _("Suppliers"),
        Supplier,
        _columns(Supplier, "code* name* name_zh language address email is_active"),
        ("code",),
    ),
    Resource(
        "supplier_prices",
        _("Supplier prices"),
        SupplierPrice,
        _columns(
            SupplierPrice,
            "supplier* item* price* currency lead_time_days min_order_quantity"
            " max_order_quantity valid_from*",
        ),
        ("supplier_id", "item_id", "valid_from"),
        row_rules=(rules.currency_has_three_letters, rules.order_quantities_in_order),
        table_rules=(rules.currencies_are_exchanged,),
    ),
    Resource(
        "routing_operations",
        _("Routing operations"),
        RoutingOperation,
        _columns(
            RoutingOperation,
            "sequence* name* name_zh work_center* setup_minutes run_minutes run_basis"
            " setup_family is_interruptible subcontractor subcontract_days skill people tool"
            " wait_minutes max_wait_minutes transfer_quantity",
        ),
        ("sequence",),
        parent=_routing_parent(),
        row_rules=(
            rules.days_outside_have_subcontractor,
            rules.somebody_is_there,
            rules.waits_make_sense,
        ),
        table_rules=(rules.no_overlapping_routings, rules.something_follows_a_wait),
    ),
    Resource(
        "operation_alternatives",
        _("Operation alternatives"),
        OperationAlternative,
        _columns(OperationAlternative, "work_unit* setup_minutes run_minutes"),
        ("work_unit_id",),
        parent=_operation_parent(),
    ),
    Resource(
        "operation_checks",
        _("Operation checks"),
        OperationCheck,
        _columns(
            OperationCheck,
            "position* name* name_zh code kind unit lower target upper is_required frequency every"
            " reason",
        ),
        ("position",),
        parent=_operation_parent(),
        row_rules=(rules.check_can_be_answered,),
    ),
)

# In the order in which a new installation imports them: what is named comes first.
RESOURCES: dict[str, Resource] = {resource.name: resource for resource in _ALL}
