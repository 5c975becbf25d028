"""Customers, suppliers and what these ask."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from crm.services.dataset import files
from crm.services.dataset.context import Context


def import_partners(context: Context) -> None:
    """Customers and suppliers."""
    currency = _same(context.options.currency)
    customers = files.translate(
        context.table("customers.csv"), {"code": "customer", "name": "name", "currency": currency}
    )
    context.take("customers", customers)
    suppliers = files.translate(
        context.table("suppliers.csv"), {"code": "supplier", "name": "name", "is_active": "active"}
    )
    context.take("suppliers", suppliers)


def import_prices(context: Context) -> None:
    """Supplier prices, valid from the last receipt on."""
    table = context.table("supplier_prices.csv")
    prices = files.translate(
        table,
        {
            "supplier": "supplier",
            "item": "item_number",
            "price": "price",
            "currency": _same(context.options.currency),
            "lead_time_days": "lead_time_days",
            "min_order_quantity": "min_order_quantity",
            "max_order_quantity": "max_order_quantity",
            "valid_from": "last_receipt_date",
        },
    )
    context.take("supplier_prices", prices)
    context.summary.assume(_("Supplier prices count from the day of the last receipt."))


def _same(value: str) -> Callable[[dict[str, str]], str]:
    return lambda _cells: value
