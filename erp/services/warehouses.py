"""Warehouses and bins of a site; each site has a warehouse with a bin of every kind."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.errors import Refused
from common.models import User
from erp.enums import BinKind
from erp.models import Bin, StockQuant, Warehouse

__all__ = ["CannotChangeBin", "add_bin", "add_warehouse", "bin_for", "ensure", "retire_bin"]

MAIN = "MAIN"


class CannotChangeBin(Refused):
    """The warehouse or bin cannot be made or retired like this."""


def ensure(site_id: int) -> None:
    """Give the site its warehouse with one bin per kind, where it has none yet."""
    with transaction.atomic():
        warehouse, made = Warehouse.objects.get_or_create(
            site_id=site_id,
            code=MAIN,
            defaults={"name": "Main warehouse", "name_zh": "主仓库"},
        )
        if made:
            Bin.objects.bulk_create(
                [Bin(warehouse=warehouse, code=kind.upper(), kind=kind) for kind in BinKind]
            )


def bin_for(*, site_id: int, kind: BinKind) -> Bin:
    """The site's first bin in use of that kind: where goods go when nobody names another."""
    rows = (
        Bin.objects.filter(warehouse__site=site_id, kind=kind)
        .select_related("warehouse")
        .order_by("warehouse", "pk")
    )
    found = rows.filter(is_active=True).first()
    if found is None:
        ensure(site_id)
        found = rows.filter(is_active=True).first() or rows.first()
    if found is None:
        warehouse = Warehouse.objects.get(site=site_id, code=MAIN)
        found = Bin.objects.create(warehouse=warehouse, code=kind.upper(), kind=kind)
    return found


def add_warehouse(
    *, site_id: int, code: str, name: str, name_zh: str = "", by: User | None, now: datetime
) -> Warehouse:
    """Another warehouse of the site, without bins; raise CannotChangeBin for a code in use."""
    with transaction.atomic():
        ensure(site_id)
        if Warehouse.objects.filter(site=site_id, code__iexact=code.strip()).exists():
            raise CannotChangeBin(_("There is a warehouse %(code)s already.") % {"code": code})
        made = Warehouse.objects.create(
            site_id=site_id, code=code.strip().upper(), name=name.strip(), name_zh=name_zh.strip()
        )
        audit.record(action="erp.warehouse.add", target=made, by=by, now=now)
    return made


def add_bin(
    *, warehouse: Warehouse, code: str, kind: BinKind, by: User | None, now: datetime
) -> Bin:
    """Another bin; raise CannotChangeBin for a code in use."""
    with transaction.atomic():
        if warehouse.bins.filter(code__iexact=code.strip()).exists():
            raise CannotChangeBin(
                _("%(warehouse)s has a bin %(code)s already.")
                % {"warehouse": warehouse.code, "code": code}
            )
        made = Bin.objects.create(warehouse=warehouse, code=code.strip().upper(), kind=kind)
        audit.record(action="erp.bin.add", target=made, by=by, now=now)
    return made


def retire_bin(*, bin_id: int, by: User | None, now: datetime) -> Bin:
    """Nothing is put there any more; raise CannotChangeBin while something lies in it."""
    with transaction.atomic():
        chosen = Bin.objects.select_for_update(no_key=True).get(pk=bin_id)
        if StockQuant.objects.filter(bin=chosen).exists():
            raise CannotChangeBin(_("%(bin)s is not empty.") % {"bin": chosen.code})
        chosen.is_active = False
        chosen.save(update_fields=["is_active"])
        audit.record(action="erp.bin.retire", target=chosen, by=by, now=now)
    return chosen
