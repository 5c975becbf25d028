"""Opening balances."""

from decimal import Decimal

from django.utils.translation import gettext as _

from crm.services.dataset.context import Context
from crm.services.dataset.parse import Cells
from erp import selectors as erp
from erp.services import stock
from masterdata import selectors as masterdata
from masterdata.services.imports import BadRow, Outcome

_FILE = "stock.csv"


def import_stock(context: Context) -> None:
    """The sum over all places of each item, for items that have no balance at the site yet."""
    table = context.table(_FILE)
    site = masterdata.site_by_code(context.options.site)
    items = masterdata.item_ids()
    there = set(erp.balances(site_id=site.pk).values_list("item_id", flat=True))
    wanted: dict[int, Decimal] = {}
    faults: list[BadRow] = []
    bad = kept = 0
    for row in table.rows:
        cells = Cells(table, row)
        item = cells.known("item_number", items, _("item"))
        quantity = cells.number("quantity")
        faults.extend(cells.faults)
        bad += bool(cells.faults)
        if not cells.faults and item in there:
            kept += 1
        elif not cells.faults:
            wanted[item] = wanted.get(item, Decimal(0)) + quantity
    stock.set_opening(
        [stock.Opening(item, quantity) for item, quantity in wanted.items()],
        site_id=site.pk,
        reference="dataset",
        by=context.by,
        now=context.now,
    )
    context.summary.bad.extend(faults)
    context.count("stock", Outcome(len(table.rows) - bad - kept, 0, kept, bad))
    places = {row.cells["location"] for row in table.rows}
    context.summary.assume(
        _(
            "Stock of %(places)s places is added up to one balance per item (%(count)s new); items"
            " that have a balance already keep it."
        )
        % {"places": len(places), "count": len(wanted)}
    )
