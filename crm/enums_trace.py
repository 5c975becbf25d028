"""Where what a cause reached is now: the three lists of an impact."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from traceability.enums import IdentityState


class Whereabouts(models.TextChoices):
    """With a customer, still in our hands, or gone into something else; nothing is in two."""

    SHIPPED = "shipped", _("Shipped")
    STOPPABLE = "stoppable", _("Still stoppable")
    GONE = "gone", _("Consumed")


# Every state is in one list. A test walks all of them.
WHEREABOUTS: dict[IdentityState, Whereabouts] = {
    IdentityState.SHIPPED: Whereabouts.SHIPPED,
    IdentityState.IN_PROCESS: Whereabouts.STOPPABLE,
    IdentityState.AVAILABLE: Whereabouts.STOPPABLE,
    IdentityState.ON_HOLD: Whereabouts.STOPPABLE,
    IdentityState.IN_TRANSIT: Whereabouts.STOPPABLE,
    IdentityState.CONSUMED: Whereabouts.GONE,
    # Back to the supplier: what a customer sends back lies in our store again.
    IdentityState.RETURNED: Whereabouts.GONE,
    IdentityState.SCRAPPED: Whereabouts.GONE,
}


def states_of(where: Whereabouts) -> list[IdentityState]:
    """The states of a list."""
    return [state for state, place in WHEREABOUTS.items() if place == where]
