"""Bodies that the API takes and gives for orders."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from aps.enums import PromiseStatus
from common.api import StrictSerializer
from common.errors import Refused
from crm import policies
from crm.enums import MilestoneKind, OrderState
from masterdata import selectors as masterdata


class Code(serializers.CharField):
    """Something by its code, looked up only once the text itself is right."""

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        self.run_validators(text)
        return self.look_up(text)

    def look_up(self, code: str) -> Any:
        raise NotImplementedError

    def to_representation(self, value: Any) -> str:
        return str(value.code)


class ItemCode(Code):
    """An item by its code."""

    def look_up(self, code: str) -> Any:
        item = masterdata.item_by_code(code)
        if item is None or not item.is_active:
            raise serializers.ValidationError(_("There is no such item."))
        return item


class CustomerCode(Code):
    """A customer by its code."""

    def look_up(self, code: str) -> Any:
        customer = masterdata.customer_by_code(code)
        if customer is None or not customer.is_active:
            raise serializers.ValidationError(_("There is no such customer."))
        return customer


class Quantity(serializers.DecimalField):
    """More than zero, up to four decimals, in the item's unit."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=14, decimal_places=4, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        if value <= 0:
            raise serializers.ValidationError(_("The quantity must be more than zero."))
        return value


class RequestedDate(serializers.DateField):
    """A day that calendars reach."""

    def to_internal_value(self, value: Any) -> Any:
        day = super().to_internal_value(value)
        return _as_field_error(policies.check_requested_date, day)


def _as_field_error(check: Callable[[Any], None], value: Any) -> Any:
    try:
        check(value)
    except Refused as refused:
        raise serializers.ValidationError(str(refused)) from refused
    return value


class PromiseLineIn(StrictSerializer):
    item = ItemCode()
    quantity = Quantity()
    requested_date = RequestedDate()


class PromiseCheckIn(StrictSerializer):
    # The site's code; without it the only site, or the one that makes all of the items.
    site = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    customer = CustomerCode(required=False, allow_null=True)
    lines = PromiseLineIn(many=True, allow_empty=False, max_length=200)  # type: ignore[call-arg]


class ReasonOut(serializers.Serializer[Any]):
    kind = serializers.CharField()
    text = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)
    code = serializers.CharField()


class AlternativeOut(serializers.Serializer[Any]):
    kind = serializers.CharField()
    text = serializers.CharField()
    date = serializers.DateField(allow_null=True)
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4, allow_null=True)
    rest_quantity = serializers.DecimalField(max_digits=14, decimal_places=4, allow_null=True)
    rest_date = serializers.DateField(allow_null=True)


class ChainLinkOut(serializers.Serializer[Any]):
    """A stretch of the chain that decides the earliest date: work, or a wait and for what."""

    kind = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    item = serializers.CharField(source="item_code")
    text = serializers.CharField()


class PromiseLineOut(serializers.Serializer[Any]):
    item = serializers.CharField()
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4)
    requested_date = serializers.DateField()
    feasible = serializers.BooleanField()
    status = serializers.ChoiceField(choices=PromiseStatus.choices)
    earliest_date = serializers.DateField(allow_null=True)
    latest_start = serializers.DateTimeField(allow_null=True)
    slack_minutes = serializers.IntegerField()
    reasons = ReasonOut(many=True)
    # What lies between the end of the first wait and the earliest date, in a sentence.
    then = serializers.CharField(allow_blank=True)
    # From now to readiness, without a hole.
    chain = ChainLinkOut(many=True)
    alternatives = AlternativeOut(many=True)
    refusal = serializers.CharField(allow_blank=True)


class PromiseCheckOut(serializers.Serializer[Any]):
    schedule_version = serializers.IntegerField(allow_null=True)
    lines = PromiseLineOut(many=True)


class OrderLineIn(StrictSerializer):
    item = ItemCode()
    quantity = Quantity()
    requested_date = RequestedDate()
    unit_price = serializers.DecimalField(
        max_digits=14, decimal_places=4, min_value=0, required=False, allow_null=True
    )

    def validate(self, attrs: Any) -> Any:
        if not policies.is_whole(attrs["quantity"], attrs["item"].uom):
            sentence = _("%(item)s is counted in %(unit)s; give a whole number.")
            values = {"item": attrs["item"].code, "unit": attrs["item"].uom}
            raise serializers.ValidationError({"quantity": [sentence % values]})
        return attrs


class OrderIn(StrictSerializer):
    # The site's code; without it the only site, or the one that makes all of the items.
    site = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    customer = CustomerCode()
    customer_reference = serializers.CharField(max_length=80, required=False, allow_blank=True)
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    lines = OrderLineIn(many=True, allow_empty=False, max_length=500)  # type: ignore[call-arg]


class SubmitIn(StrictSerializer):
    """Positions that keep their date and ask planning to make room."""

    rush = serializers.ListField(child=serializers.IntegerField(min_value=1), required=False)


class ReasonIn(StrictSerializer):
    reason = serializers.CharField(max_length=300)


class OrderLineOut(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    item = serializers.CharField(source="item.code")
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4)
    shipped = serializers.DecimalField(max_digits=14, decimal_places=4)
    unit_price = serializers.DecimalField(max_digits=14, decimal_places=4)
    requested_date = serializers.DateField()
    offered_date = serializers.DateField(allow_null=True)
    promised_date = serializers.DateField(allow_null=True)
    projected_date = serializers.DateField(allow_null=True)
    is_cancelled = serializers.BooleanField()
    conversion = serializers.CharField(source="conversion_state")
    conversion_error = serializers.CharField(allow_blank=True)


class WorkOrderOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    item = serializers.CharField(source="item_code")
    state = serializers.CharField()
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4)
    good = serializers.DecimalField(max_digits=14, decimal_places=4)
    planned_starts_at = serializers.DateTimeField(allow_null=True)
    planned_ends_at = serializers.DateTimeField(allow_null=True)


class MilestoneOut(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=MilestoneKind.choices)
    at = serializers.DateTimeField()


class ShipmentLineOut(serializers.Serializer[Any]):
    position = serializers.IntegerField(source="line.position")
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4)


class ShipmentOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    order = serializers.CharField(source="order.number")
    carrier = serializers.CharField()
    tracking_code = serializers.CharField()
    shipped_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    lines = ShipmentLineOut(source="lines.all", many=True)


class OrderOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    customer = serializers.CharField(source="customer.code")
    customer_reference = serializers.CharField()
    status = serializers.ChoiceField(source="state", choices=OrderState.choices)
    currency = serializers.CharField()
    created_at = serializers.DateTimeField()
    lines = OrderLineOut(source="lines.all", many=True)
    milestones = serializers.SerializerMethodField()
    shipments = ShipmentOut(source="shipments.all", many=True)
    work_orders = serializers.SerializerMethodField()

    def get_milestones(self, order: Any) -> list[dict[str, Any]]:
        reached = sorted(order.milestones.all(), key=lambda row: (row.at, row.pk))
        return list(MilestoneOut(reached, many=True).data)

    def get_work_orders(self, order: Any) -> list[dict[str, Any]]:
        return list(WorkOrderOut(self.context["work_orders"], many=True).data)


class CancelledOut(serializers.Serializer[Any]):
    """What cancelling undid, and what has started and goes on."""

    undone = serializers.ListField(child=serializers.CharField())
    remaining = serializers.ListField(child=serializers.CharField())
    order = OrderOut()


class ShipmentLineIn(StrictSerializer):
    position = serializers.IntegerField(min_value=1)
    quantity = Quantity()


class ShipmentIn(StrictSerializer):
    order = serializers.CharField(max_length=20)
    lines = ShipmentLineIn(many=True, required=False, max_length=500)  # type: ignore[call-arg]
    carrier = serializers.CharField(max_length=80, required=False, allow_blank=True)
    tracking_code = serializers.CharField(max_length=80, required=False, allow_blank=True)

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        positions = [line["position"] for line in lines]
        if len(set(positions)) < len(positions):
            raise serializers.ValidationError(_("Name each line once."))
        return lines


class OrderRowOut(serializers.Serializer[Any]):
    """An order in the list."""

    number = serializers.CharField()
    customer = serializers.CharField(source="customer.code")
    customer_reference = serializers.CharField()
    status = serializers.ChoiceField(source="state", choices=OrderState.choices)
    requested_date = serializers.DateField(allow_null=True)
    promised_date = serializers.DateField(allow_null=True)
    projected_date = serializers.DateField(allow_null=True)
    is_late = serializers.BooleanField()
