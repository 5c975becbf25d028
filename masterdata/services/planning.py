"""Whose requirements planning a change of bills, items, prices or rates makes out of date."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Model

from common.events import publish
from common.models import User
from masterdata.events import PlanningDataChanged
from masterdata.models import Bom, BomLine, ExchangeRate, Item, Site, Supplier, SupplierPrice

# What planning reads of them; of the others it reads every field.
_READ: dict[type[Model], frozenset[str]] = {
    Item: frozenset(
        {
            "supply",
            "uom",
            "lead_time_days",
            "scrap_rate",
            "lot_policy",
            "lot_size",
            "lot_period_days",
            "safety_stock",
            "is_active",
        }
    ),
    Supplier: frozenset({"is_active"}),
}
_WHOLE = (Bom, BomLine, ExchangeRate, SupplierPrice)


def counts(model: type[Model], fields: Iterable[str]) -> bool:
    """Whether requirements planning reads one of these fields."""
    if issubclass(model, _WHOLE):
        return any(name != "version" for name in fields)
    return not _READ.get(model, frozenset()).isdisjoint(fields)


def is_read(model: type[Model]) -> bool:
    """Whether requirements planning reads rows like these."""
    return issubclass(model, _WHOLE) or model in _READ


def changed(*, by: User | None, now: datetime) -> None:
    """Publish PlanningDataChanged for every site: bills, items and prices are those of all.

    Raises NotInTransaction outside ``atomic()``.
    """
    for site_id in Site.objects.order_by("pk").values_list("pk", flat=True):
        publish(PlanningDataChanged(site_id=site_id), by=by, now=now)
