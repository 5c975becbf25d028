"""Which lots may be split or put together; each refusal is a sentence."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from common.errors import Refused
from erp.enums import BinKind
from erp.models import StockQuant
from erp.policies import plain

if TYPE_CHECKING:
    from traceability.models import Lot

MOST = 50


class CannotRelabel(Refused):
    """The lot cannot be split, or the lots cannot be put together."""


def check_free(quant: StockQuant, today: date) -> None:
    """Raise CannotRelabel for what is kept from everybody: held, in quarantine, or expired."""
    lot = quant.lot
    assert lot is not None  # noqa: S101 - the caller asked for lots
    if lot.expires_on is not None and lot.expires_on < today:
        raise CannotRelabel(_("%(lot)s is expired.") % {"lot": lot.number})
    if quant.bin.kind == BinKind.QUARANTINE:
        raise CannotRelabel(
            _("%(lot)s lies in quarantine: it keeps its number until quality decides.")
            % {"lot": lot.number}
        )
    if quant.is_held:
        raise CannotRelabel(
            _("%(lot)s is on hold: it keeps its number until the hold is lifted.")
            % {"lot": lot.number}
        )


def check_can_split(quant: StockQuant, quantity: Decimal, *, lies: Decimal) -> None:
    """Raise CannotRelabel for nothing, for more than is free, or for all of the lot.

    ``lies`` is what lies anywhere of it.
    """
    lot = quant.lot
    if quantity <= 0:
        raise CannotRelabel(_("Enter a quantity above zero."))
    if quantity > quant.quantity:
        raise CannotRelabel(
            _("Only %(there)s of %(lot)s lies in %(bin)s.")
            % {"there": plain(quant.quantity), "lot": lot, "bin": quant.bin.code}
        )
    if quantity > quant.quantity - quant.staged:
        raise CannotRelabel(
            _("%(staged)s of %(lot)s stands ready for somebody; %(free)s may be split off.")
            % {
                "staged": plain(quant.staged),
                "lot": lot,
                "free": plain(quant.quantity - quant.staged),
            }
        )
    if quantity == lies:
        raise CannotRelabel(
            _("That is all there is of %(lot)s: enter less, the rest keeps its number.")
            % {"lot": lot}
        )


def check_can_merge(quants: Sequence[StockQuant]) -> None:
    """Raise CannotRelabel for one lot, for too many, for what stands ready, or against policy.

    An item whose receipts must say the supplier's lot keeps one of them in each of its lots.
    """
    if len(quants) < 2:
        raise CannotRelabel(_("Choose at least two lots to put together."))
    if len(quants) > MOST:
        raise CannotRelabel(_("%(most)s lots at most are put together at once.") % {"most": MOST})
    for quant in quants:
        if quant.staged:
            raise CannotRelabel(
                _("%(staged)s of %(lot)s stands ready for somebody: use it, or bring it back.")
                % {"staged": plain(quant.staged), "lot": quant.lot}
            )
    item = quants[0].item
    origins = {_origin(quant.lot) for quant in quants}
    if item.supplier_lot_required and len(origins) > 1:
        raise CannotRelabel(
            _("%(item)s is kept apart by the supplier's lot: %(lots)s are of different ones.")
            % {"item": item.code, "lots": ", ".join(sorted(str(quant.lot) for quant in quants))}
        )


def check_lies_there(missing: Sequence[str], place: str) -> None:
    """Raise CannotRelabel for lots that lie elsewhere."""
    if missing:
        raise CannotRelabel(
            _("%(lots)s: not in %(bin)s. Bring it there first.")
            % {"lots": ", ".join(missing[:3]), "bin": place}
        )


def check_one_item(quants: Sequence[StockQuant]) -> None:
    """Raise CannotRelabel for nothing that lies there, or for lots of several items."""
    items = sorted({quant.item.code for quant in quants})
    if not items:
        raise CannotRelabel(_("Nothing of it lies there."))
    if len(items) > 1:
        raise CannotRelabel(
            _("These are lots of different items: %(items)s.") % {"items": ", ".join(items)}
        )


def check_is_new(number: str, known: "Lot | None") -> None:
    """Raise CannotRelabel where the new lot would have the number of another."""
    if known is not None:
        raise CannotRelabel(
            _("There is a lot %(lot)s of this item already.") % {"lot": known.number or number}
        )


def _origin(lot: "Lot | None") -> tuple[int | None, str]:
    return (lot.supplier_id, lot.supplier_lot) if lot else (None, "")
