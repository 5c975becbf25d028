"""What may be done with goods that go to another site; each refusal is a sentence."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.utils.translation import gettext as _

from common.errors import Refused
from erp.enums import TransferState
from erp.models import Bin, StockQuant, StockTransfer, TransferLine
from erp.policies import plain


class CannotTransfer(Refused):
    """The goods cannot be sent to the other site, or received there, like this."""


def check_sites(from_site_id: int, to_site_id: int) -> None:
    """Raise CannotTransfer within one site."""
    if from_site_id == to_site_id:
        raise CannotTransfer(_("Choose another site than the one it is sent from."))


def check_can_pack(transfer: StockTransfer) -> None:
    """Raise CannotTransfer once it has left."""
    if transfer.state != TransferState.DRAFT:
        raise CannotTransfer(
            _("%(transfer)s is “%(state)s”: nothing can be packed or unpacked.")
            % {"transfer": transfer.number, "state": TransferState(transfer.state).label}
        )


def check_bin_of_sender(transfer: StockTransfer, place: Bin) -> None:
    """Raise CannotTransfer for a bin of another site."""
    if place.warehouse.site_id != transfer.from_site_id:
        raise CannotTransfer(
            _("%(bin)s is not at %(site)s.") % {"bin": place.code, "site": transfer.from_site.code}
        )


def check_not_packed(packed: Iterable[TransferLine]) -> None:
    """Raise CannotTransfer for a serial number that is in a consignment already."""
    for line in packed:
        raise CannotTransfer(
            _("%(number)s is packed in %(transfer)s already.")
            % {
                "number": line.unit.number if line.unit else line.item.code,
                "transfer": line.transfer.number,
            }
        )


def check_can_dispatch(transfer: StockTransfer, lines: int) -> None:
    """Raise CannotTransfer for what has left already, or for an empty consignment."""
    check_can_pack(transfer)
    if not lines:
        raise CannotTransfer(_("Pack something first."))


def check_lies_there(line: TransferLine, quant: StockQuant | None) -> None:
    """Raise CannotTransfer where what was packed was taken, staged or held meanwhile."""
    number = line.unit or line.lot
    what = f"{line.item.code} {number.number}" if number else line.item.code
    if quant is not None and quant.is_held:
        raise CannotTransfer(_("%(what)s is held: it stays at its site.") % {"what": what})
    there = max(quant.quantity - quant.staged, Decimal(0)) if quant else Decimal(0)
    if there < line.quantity:
        raise CannotTransfer(
            _("%(there)s of %(what)s may be taken from %(bin)s, not %(quantity)s.")
            % {
                "there": plain(there),
                "what": what,
                "bin": line.from_bin.code,
                "quantity": plain(line.quantity),
            }
        )


def check_may_leave(code: str, leaving: Decimal, free: Decimal) -> None:
    """Raise CannotTransfer where reserved stock would leave the site."""
    if leaving > free:
        raise CannotTransfer(
            _("Only %(free)s of %(item)s is free to leave this site; the rest is reserved.")
            % {"free": plain(max(free, Decimal(0))), "item": code}
        )


def check_under_way(transfer: StockTransfer) -> None:
    """Raise CannotTransfer where nothing is to arrive."""
    if transfer.state not in TransferState.on_the_way():
        raise CannotTransfer(
            _("%(transfer)s is “%(state)s”: nothing is to arrive.")
            % {"transfer": transfer.number, "state": TransferState(transfer.state).label}
        )


def check_can_arrive(
    transfer: StockTransfer, lines: Mapping[int, TransferLine], arrivals: Mapping[int, Decimal]
) -> None:
    """Raise CannotTransfer for nothing, or for more than is under way."""
    check_under_way(transfer)
    if not arrivals:
        raise CannotTransfer(_("Say what arrived."))
    for pk, quantity in arrivals.items():
        line = lines[pk]
        if quantity <= 0:
            raise CannotTransfer(_("Enter a quantity above zero."))
        if quantity > line.open_quantity:
            raise CannotTransfer(
                _("%(left)s of %(item)s is under way, not %(quantity)s. Count what is too many.")
                % {
                    "left": plain(line.open_quantity),
                    "item": line.item.code,
                    "quantity": plain(quantity),
                }
            )


def check_can_close(transfer: StockTransfer, reason: str) -> None:
    """Raise CannotTransfer without a reason, or where nothing is missing."""
    check_under_way(transfer)
    if not reason.strip():
        raise CannotTransfer(_("Say why less arrived than was sent."))


def check_can_cancel(transfer: StockTransfer, reason: str) -> None:
    """Raise CannotTransfer once a part has arrived, or without a reason for what has left."""
    if transfer.state not in (TransferState.DRAFT, TransferState.IN_TRANSIT):
        raise CannotTransfer(
            _("%(transfer)s is “%(state)s”: send it back by a transfer of its own.")
            % {"transfer": transfer.number, "state": TransferState(transfer.state).label}
        )
    if transfer.state == TransferState.IN_TRANSIT and not reason.strip():
        raise CannotTransfer(_("Say why."))
