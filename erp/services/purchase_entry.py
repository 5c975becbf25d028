"""A purchase order written by hand, and lines added to a draft."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from common import audit, concurrency, events
from common.errors import refusal
from common.models import User
from erp import policies_purchase_entry as entry_policies
from erp import policies_purchasing as policies
from erp import selectors
from erp.events import PurchaseOrdersChanged
from erp.models import PurchaseOrder, PurchaseOrderLine
from erp.policies_purchase_entry import CannotEnter, Fault
from erp.policies_purchasing import CannotChangeOrder, CannotOrder
from erp.services import purchase_orders, supplies
from erp.services.purchase_orders import DraftLine
from masterdata import selectors as masterdata

if TYPE_CHECKING:
    from masterdata.models import Site, Supplier

__all__ = [
    "CannotChangeOrder",
    "CannotEnter",
    "CannotOrder",
    "Entered",
    "Fault",
    "add_line",
    "currency_of",
    "today_at",
    "write",
]


@dataclass(frozen=True, slots=True)
class Entered:
    """A line as a person says it; no day: as soon as it can be, no price: the known one."""

    item_id: int
    quantity: Decimal
    due_date: date | None = None
    unit_price: Decimal | None = None


def today_at(site: "Site", now: datetime) -> date:
    """The day at the site: of prices and lead times, and before which nothing can come."""
    return now.astimezone(ZoneInfo(site.time_zone)).date()


def currency_of(supplier: "Supplier", site: "Site", *, today: date) -> str:
    """What an order there is written in: as most of its prices, else the site's own."""
    found = masterdata.supplier_currency(supplier_id=supplier.pk, on=today)
    return found or site.currency


def write(
    *,
    supplier_id: int,
    site_id: int,
    lines: Sequence[Entered],
    currency: str = "",
    by: User | None,
    now: datetime,
) -> PurchaseOrder:
    """A draft with what a buyer chose; planning and the schedule reckon with it from now on.

    Without a currency that of the supplier's prices. Raise CannotOrder for a supplier of whom
    nothing can be bought and for too few or many lines, CannotEnter for what is wrong with them.
    """
    supplier, site = masterdata.supplier(supplier_id), masterdata.site(site_id)
    entry_policies.check_can_buy_from(supplier)
    entry_policies.check_number_of_lines(len(lines))
    today = today_at(site, now)
    currency = currency or currency_of(supplier, site, today=today)
    with transaction.atomic():
        placed = purchase_orders.draft(
            supplier_id=supplier.pk,
            site_id=site.pk,
            lines=_checked(lines, supplier, site, currency, today),
            currency=currency,
            by=by,
            now=now,
        )
        events.publish(PurchaseOrdersChanged(site_id=site.pk), by=by, now=now)
    return placed


def add_line(
    *, order: PurchaseOrder, line: Entered, version: int, by: User | None, now: datetime
) -> PurchaseOrder:
    """Put a line at the end of a draft; raise as ``write`` does, CannotChangeOrder, StaleWrite."""
    with transaction.atomic():
        order = PurchaseOrder.objects.select_for_update(no_key=True).get(pk=order.pk)
        concurrency.check_version(order, opened=version)
        policies.check_can_edit_line(order)
        entry_policies.check_can_buy_from(order.supplier)
        entry_policies.check_number_of_lines(order.lines.count() + 1)
        today = today_at(order.site, now)
        (drafted,) = _checked([line], order.supplier, order.site, order.currency, today)
        last = order.lines.aggregate(last=Max("position"))["last"] or 0
        added = PurchaseOrderLine.objects.create(
            order=order,
            position=last + 10,
            item_id=drafted.item_id,
            quantity=drafted.quantity,
            ordered_quantity=drafted.quantity,
            unit_price=drafted.unit_price,
            due_date=drafted.due_date,
        )
        order.version += 1
        order.save(update_fields=["version"])
        supplies.note_purchases([order.pk])
        changes: dict[str, list[str | None]] = {"lines": [None, str(added.position)]}
        audit.record(
            action="erp.purchase_order.add_line", target=order, by=by, now=now, changes=changes
        )
        events.publish(PurchaseOrdersChanged(site_id=order.site_id), by=by, now=now)
    return order


def _checked(
    lines: Sequence[Entered], supplier: "Supplier", site: "Site", currency: str, today: date
) -> list[DraftLine]:
    """The lines with their days and prices; as many queries for many as for one."""
    items = masterdata.items_by_id({line.item_id for line in lines})
    advice = selectors.purchase_advice(
        items=list(items.values()),
        supplier_id=supplier.pk,
        site_currency=site.currency,
        currency=currency,
        today=today,
    )
    faults: list[Fault] = []
    found: list[DraftLine] = []
    for number, line in enumerate(lines):
        item = items.get(line.item_id)
        if item is None:
            faults.append(Fault(number, "item", _("There is no such item.")))
            continue
        known = advice[item.pk]
        due_date = line.due_date or known.earliest
        price = known.price if line.unit_price is None else line.unit_price
        told = {
            "item": refusal(entry_policies.check_can_buy, item),
            "quantity": refusal(entry_policies.check_quantity, item, line.quantity),
            "due_date": refusal(entry_policies.check_due_date, item, due_date, today),
            "unit_price": refusal(
                entry_policies.check_price,
                item,
                price,
                currency=currency,
                unknown_currency=known.unknown_currency,
            ),
        }
        faults += [Fault(number, field, sentence) for field, sentence in told.items() if sentence]
        found.append(DraftLine(item.pk, line.quantity, due_date, price or Decimal(0)))
    if faults:
        raise CannotEnter(faults)
    return found
