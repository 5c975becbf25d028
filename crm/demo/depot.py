"""The demo's second site: a depot from which service gets its spare parts, sent by the plant."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from common.enums import Role
from common.models import User
from erp.enums import BinKind
from erp.services import transfers, warehouses
from erp.services.moving import Where
from masterdata import selectors as masterdata

if TYPE_CHECKING:
    from erp.models import StockTransfer

CODE = "DEPOT"
# What was sent, by item; of the first consignment some gaskets never arrived.
FIRST = {"SEAL-35": 200, "SEAL-50": 120, "BRG-6204": 150, "GASKET-50": 250, "GREASE": 40}
LOST = {"GASKET-50": 2}
SECOND = {"BRG-6206": 80, "SPRING-8": 100}
NEXT = {"SEAL-50": 60}


def supply(*, users: Mapping[str, User], now: datetime) -> None:
    """One consignment that arrived short, one under way, and one that is being packed."""
    warehouse = users[Role.WAREHOUSE]
    first = _packed(FIRST, note="HT-0931", by=warehouse, at=now - timedelta(days=12))
    first = transfers.dispatch(transfer=first, by=warehouse, now=now - timedelta(days=11))
    arrived = {
        line.pk: line.quantity - LOST.get(line.item.code, 0)
        for line in first.lines.select_related("item")
    }
    came = now - timedelta(days=9)
    transfers.receive(transfer=first, arrivals=arrived, by=warehouse, now=came)
    transfers.close(
        transfer=first,
        reason="The box was torn, two gaskets are gone",
        by=warehouse,
        now=came + timedelta(hours=1),
    )
    second = _packed(SECOND, note="HT-0958", by=warehouse, at=now - timedelta(days=1))
    transfers.dispatch(transfer=second, by=warehouse, now=now - timedelta(hours=20))
    _packed(NEXT, note="", by=warehouse, at=now - timedelta(hours=2))


def _packed(contents: Mapping[str, int], *, note: str, by: User, at: datetime) -> "StockTransfer":
    plant, depot = masterdata.default_site(), masterdata.site_by_code(CODE)
    items = {item.code: item.pk for item in masterdata.items()}
    shelf = warehouses.bin_for(site_id=plant.pk, kind=BinKind.STORAGE).pk
    made = transfers.draft(
        from_site_id=plant.pk,
        to_site_id=depot.pk,
        arrives_on=(at + timedelta(days=3)).date(),
        note=note,
        by=by,
        now=at,
    )
    for code, quantity in contents.items():
        source = Where(shelf, items[code])
        transfers.pack(transfer=made, source=source, quantity=Decimal(quantity), by=by, now=at)
    return made
