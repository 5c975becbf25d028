"""Which customer a portal account belongs to."""

from common.models import User
from masterdata.models import Customer, CustomerUser


def assign(*, user: User, customer_code: str) -> CustomerUser:
    """Give the account to a customer; raise Customer.DoesNotExist."""
    customer = Customer.objects.get(code=customer_code)
    row, _created = CustomerUser.objects.update_or_create(
        user=user, defaults={"customer": customer}
    )
    return row
