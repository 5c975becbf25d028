"""What the tests of orders share."""

from tests.crm.factories import Shop
from tests.shared import shared


@shared(SOLVE_SECONDS=0.03)
def shop() -> Shop:
    return Shop()
