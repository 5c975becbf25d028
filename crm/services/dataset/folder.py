"""Import a whole folder, all or nothing."""

from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

from django.db import transaction

from common import statistics
from common.models import User
from crm.services.dataset import files, partners, plant, products, purchasing, sales, stock
from crm.services.dataset.context import Context
from crm.services.dataset.options import Options
from crm.services.dataset.summary import Summary


def import_folder(path: Path, *, options: Options, by: User | None, now: datetime) -> Summary:
    """Import the folder in one transaction and say what was done, assumed and bad.

    Nothing is written in a dry run, nor where rows are bad unless the options take the good
    ones. Importing twice changes nothing. Raises MissingFolder and CannotRead.
    """
    began = monotonic()
    folder = files.load(path, start_date=options.start_date)
    context = Context(folder, options, Summary(), by, now)
    with transaction.atomic():
        _steps(context)
        summary = context.summary
        summary.is_written = not options.dry_run and (not summary.bad or options.take_good)
        if not summary.is_written:
            transaction.set_rollback(True)
    if summary.is_written:
        statistics.analyze()
    summary.took = timedelta(seconds=monotonic() - began)
    return summary


def _steps(context: Context) -> None:
    """What is named comes before what names it; machines last, they are sized by the orders."""
    plant.import_plant(context)
    partners.import_partners(context)
    products.import_items(context)
    products.import_boms(context)
    products.import_routings(context)
    partners.import_prices(context)
    stock.import_stock(context)
    plant.import_units(context)
    purchasing.import_purchase_orders(context)
    sales.import_sales_orders(context)
