"""Reads of lots and serial units, by number or by what is known of them."""

import re
from collections.abc import Collection, Iterable
from datetime import date

from django.db.models import QuerySet

from common import bulk
from traceability.models import Hold, Lot, SerialUnit
from traceability.selectors.codes import number_of

_NOT_COMPARED = re.compile(r"[^0-9A-Za-z]")


def normalised(number: str) -> str:
    """What of a number is compared: upper case, letters and digits only, as the database has it.

    Of a label's code, the number that it names.
    """
    return _NOT_COMPARED.sub("", number_of(number)).upper()


def lots(ids: Iterable[int]) -> dict[int, Lot]:
    """Lots by id, with their items."""
    return Lot.objects.select_related("item", "supplier").in_bulk(list(ids))


def units(ids: Iterable[int]) -> dict[int, SerialUnit]:
    """Serial units by id, with their items."""
    return SerialUnit.objects.select_related("item", "supplier").in_bulk(list(ids))


def last_days(*, lot_ids: Collection[int], unit_ids: Collection[int]) -> dict[int, date]:
    """The last day on which each may be used, by id (lots' and units' differ); who keeps is left
    out.
    """
    found: dict[int, date] = {}
    for model, ids in ((Lot, lot_ids), (SerialUnit, unit_ids)):
        if not ids:
            continue
        rows = model._default_manager.filter(bulk.among("pk", ids), expires_on__isnull=False)
        for pk, day in rows.values_list("pk", "expires_on"):
            if day is not None:
                found[pk] = day
    return found


def lot_of(*, item_id: int, number: str) -> Lot | None:
    """The item's lot of this number, however it is typed."""
    return (
        Lot.objects.select_related("item", "supplier")
        .filter(item_id=item_id, number_norm=normalised(number))
        .first()
    )


def unit_of(*, item_id: int, number: str) -> SerialUnit | None:
    """The item's unit of this serial number, however it is typed."""
    return (
        SerialUnit.objects.select_related("item", "supplier")
        .filter(item_id=item_id, number_norm=normalised(number))
        .first()
    )


def units_of(*, item_id: int, numbers: Collection[str]) -> dict[str, SerialUnit]:
    """Units of an item by normalised number; one query."""
    wanted = {normalised(number) for number in numbers}
    rows = SerialUnit.objects.filter(item_id=item_id, number_norm__in=wanted)
    return {unit.number_norm: unit for unit in rows}


def things_numbered(*, item_id: int, numbers: Collection[str]) -> dict[str, int]:
    """Ids of an item's units, and else lots, by normalised number; two queries."""
    wanted = {normalised(number) for number in numbers} - {""}
    lots = Lot.objects.filter(item_id=item_id, number_norm__in=wanted)
    units = SerialUnit.objects.filter(item_id=item_id, number_norm__in=wanted)
    return dict(lots.values_list("number_norm", "pk")) | dict(
        units.values_list("number_norm", "pk")
    )


def lots_named(number: str) -> QuerySet[Lot]:
    """Lots of any item that carry this number, or whose supplier's lot it is."""
    return Lot.objects.select_related("item", "supplier").filter(number_norm=normalised(number))


def units_named(number: str) -> QuerySet[SerialUnit]:
    """Units of any item that carry this serial number."""
    return SerialUnit.objects.select_related("item", "supplier").filter(
        number_norm=normalised(number)
    )


def numbered_like(norms: Collection[str], *, most: int) -> list[int]:
    """Ids of units, then of lots, whose normalised number is one of these; a few of them."""
    found: list[int] = []
    for model in (SerialUnit, Lot):
        rows = model._default_manager.filter(number_norm__in=list(norms)).order_by("pk")
        found += rows.values_list("pk", flat=True)[: most - len(found)]
    return found


def hosts_now(units: Collection[int]) -> dict[int, int]:
    """By unit that is inside another one: that other one."""
    rows = SerialUnit.objects.filter(bulk.among("pk", units), host__isnull=False)
    return {pk: host for pk, host in rows.values_list("pk", "host_id") if host is not None}


def open_holds() -> QuerySet[Hold]:
    """Holds that are not lifted, the newest first."""
    return (
        Hold.objects.filter(released_at__isnull=True)
        .select_related("lot__item", "unit__item", "placed_by")
        .order_by("-placed_at", "-pk")
    )


def lots_of(*, item_id: int) -> QuerySet[Lot]:
    """An item's lots, the newest first."""
    return Lot.objects.filter(item=item_id).select_related("supplier").order_by("-made_at", "-pk")


def holds(ids: Iterable[int]) -> list[Hold]:
    """Holds by id, with what they lie on."""
    rows = Hold.objects.filter(bulk.among("pk", ids)).select_related("lot", "unit")
    return list(rows.order_by("pk"))


def things_held(ids: Collection[int]) -> tuple[list[int], list[int]]:
    """The lots and the units that these holds lie or lay on."""
    rows = Hold.objects.filter(bulk.among("pk", ids)).order_by("pk").values_list("lot", "unit")
    pairs = list(rows)
    return [lot for lot, _unit in pairs if lot], [unit for _lot, unit in pairs if unit]


def holds_of(*, lot_id: int | None = None, unit_id: int | None = None) -> QuerySet[Hold]:
    """What lies or lay on a lot or a unit, the newest first."""
    rows = Hold.objects.filter(lot=lot_id) if lot_id else Hold.objects.filter(unit=unit_id)
    return rows.select_related("placed_by", "released_by").order_by("-placed_at", "-pk")
