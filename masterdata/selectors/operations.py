"""Operations of an item's routing on a day, as whoever changes one of them needs them."""

from datetime import date

from django.db.models import Prefetch, Q, QuerySet

from masterdata.models import OperationCheck, RoutingOperation


def operations_on(*, item_id: int, on: date) -> QuerySet[RoutingOperation]:
    """The operations of the revision that is valid on the day, with their checks, in order."""
    checks = OperationCheck.objects.order_by("position")
    return (
        RoutingOperation.objects.filter(
            Q(routing__valid_to__isnull=True) | Q(routing__valid_to__gt=on),
            routing__item=item_id,
            routing__valid_from__lte=on,
        )
        .select_related("routing__item", "work_center")
        .prefetch_related(Prefetch("checks", queryset=checks))
        .order_by("sequence")
    )
