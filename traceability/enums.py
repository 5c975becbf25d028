"""States of what carries a number: lots and serial units."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# The keys of one graph: which kind a thing is follows from its id.
FIRST_KIT_ID = 2**40
FIRST_UNIT_ID = 2**41


class IdentityState(models.TextChoices):
    """Where a unit is in its life; of a lot, what is left of it, or how the last of it went."""

    IN_PROCESS = "in_process", _("In process")
    AVAILABLE = "available", _("Available")
    ON_HOLD = "on_hold", pgettext_lazy("stock", "On hold")
    # Between two sites of ours.
    IN_TRANSIT = "in_transit", _("In transit")
    CONSUMED = "consumed", _("Consumed")
    SHIPPED = "shipped", _("Shipped")
    RETURNED = "returned", _("Returned")
    SCRAPPED = "scrapped", _("Scrapped")

    @classmethod
    def gone(cls) -> list["IdentityState"]:
        """States in which nothing of it lies in our store."""
        return [cls.CONSUMED, cls.SHIPPED, cls.RETURNED, cls.SCRAPPED]


_S = IdentityState
# What has left may come back: a component from a work order, goods from a customer, a piece that a
# count finds again. Who is on hold leaves only to the supplier or as scrap.
IDENTITY_TRANSITIONS: dict[IdentityState, frozenset[IdentityState]] = {
    _S.IN_PROCESS: frozenset({_S.AVAILABLE, _S.ON_HOLD, _S.SCRAPPED}),
    _S.AVAILABLE: frozenset(
        {_S.ON_HOLD, _S.IN_TRANSIT, _S.CONSUMED, _S.SHIPPED, _S.RETURNED, _S.SCRAPPED}
    ),
    _S.ON_HOLD: frozenset({_S.IN_PROCESS, _S.AVAILABLE, _S.IN_TRANSIT, _S.RETURNED, _S.SCRAPPED}),
    # What does not arrive is scrapped; a count that finds it brings it back.
    _S.IN_TRANSIT: frozenset({_S.AVAILABLE, _S.ON_HOLD, _S.SCRAPPED}),
    _S.CONSUMED: frozenset({_S.AVAILABLE, _S.ON_HOLD, _S.SCRAPPED}),
    _S.SHIPPED: frozenset({_S.AVAILABLE, _S.ON_HOLD, _S.RETURNED}),
    _S.RETURNED: frozenset({_S.AVAILABLE, _S.ON_HOLD, _S.SCRAPPED}),
    _S.SCRAPPED: frozenset({_S.AVAILABLE, _S.ON_HOLD}),
}
