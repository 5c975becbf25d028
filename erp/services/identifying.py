"""Which lot or which units a quantity is that comes in, as the item's policy asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from common import numbers
from erp import policies, selectors
from erp.enums import MoveKind
from erp.services.booking import Entry
from masterdata.enums import Tracking
from traceability.enums import IdentityState
from traceability.services import identities
from traceability.services.identities import NewLot, Origin

if TYPE_CHECKING:
    from masterdata.models import Item

__all__ = ["Incoming", "entries"]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A quantity of an item that comes in, and what is said about where it is from."""

    item: "Item"
    quantity: Decimal
    lot_number: str = ""
    serials: Sequence[str] = ()
    origin: Origin = Origin()


def entries(
    new: Incoming, *, bin_id: int, site_id: int, kind: MoveKind, reference: str, now: datetime
) -> list[Entry]:
    """What to book into the bin: one entry of a lot, or one per serial unit.

    A lot without a number has that of its work order, or the next of the sequence; so have serial
    units. Raise CannotReceive where the policy asks for more, CannotRegister for a number that
    cannot be given.
    """
    item = new.item
    today = selectors.today(site_id=site_id, now=now)
    policies.check_identity(
        item, kind, quantity=new.quantity, lot_number=new.lot_number, serials=new.serials
    )
    policies.check_origin(
        item,
        kind,
        supplier_lot=new.origin.supplier_lot,
        expires_on=new.origin.expires_on,
        today=today,
    )
    if item.tracking == Tracking.NONE:
        return [Entry(bin_id, item.pk, new.quantity)]
    keeps_until = _keeps_until(item, today)
    if item.tracking == Tracking.LOT:
        number = new.lot_number or (reference if kind == MoveKind.PRODUCTION else "")
        lot = identities.register_lot(
            item_id=item.pk,
            new=NewLot(number=number, origin=new.origin),
            now=now,
            keeps_until=keeps_until,
        )
        return [Entry(bin_id, item.pk, new.quantity, lot_id=lot.pk)]
    serials = [text.strip() for text in new.serials]
    origin = new.origin
    ids = identities.register_units(
        item_id=item.pk,
        numbers=serials or numbers.take_many("SN", int(new.quantity), now=now),
        origin=Origin(origin.supplier_id, origin.supplier_lot, origin.expires_on or keeps_until),
        now=now,
        # They are booked in with this: a second write of thousands of rows is saved.
        state=IdentityState.AVAILABLE,
    )
    one = Decimal(1)
    return [Entry(bin_id, item.pk, one, unit_id=pk) for pk in ids]


def _keeps_until(item: "Item", today: date) -> date | None:
    if item.shelf_life_days is None:
        return None
    return today + timedelta(days=item.shelf_life_days)
