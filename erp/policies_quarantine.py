"""Who lets goods out of quarantine: whoever may lift a hold, by whatever way they go."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from common.models import User
from common.permissions import allowed
from erp.enums import BinKind
from erp.models import Bin
from erp.policies import CannotMove
from erp.policies_counting import CannotCount

_RIGHT = "erp.release_hold"


def may_free(by: User | None) -> bool:
    """Whether the person may let goods out; what the system does by itself may."""
    return by is None or allowed(by, _RIGHT)


def check_may_leave_quarantine(start: Bin, end: Bin, by: User | None) -> None:
    """Raise CannotMove where somebody else would free what quality keeps from everybody."""
    leaves = start.kind == BinKind.QUARANTINE != end.kind
    if leaves and not may_free(by):
        raise CannotMove(
            _("%(bin)s is quarantine: ask quality to move it out, once it is found good.")
            % {"bin": start.label}
        )


def check_may_count_away(bins: Collection[Bin], by: User | None) -> None:
    """Raise CannotCount where a count takes something out of these quarantine bins."""
    if bins and not may_free(by):
        raise CannotCount(
            _("By this count something leaves quarantine (%(bins)s): quality has to approve it.")
            % {"bins": ", ".join(sorted({place.code for place in bins}))}
        )
