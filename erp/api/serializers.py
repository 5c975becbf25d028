"""Bodies of the store's API."""

from typing import Any

from rest_framework import serializers

from common.api import StrictSerializer
from erp.api.lookup import SiteIn
from erp.models.quantities import QUANTITY
from traceability.selectors import LONGEST_CODE


class QuantOut(serializers.Serializer[Any]):
    """So much lies in a bin."""

    bin = serializers.CharField(source="bin.label")
    kind = serializers.CharField(source="bin.kind")
    lot = serializers.CharField(source="lot.number", allow_null=True, default=None)
    serial = serializers.CharField(source="unit.number", allow_null=True, default=None)
    quantity = serializers.DecimalField(**QUANTITY)
    staged = serializers.DecimalField(**QUANTITY)
    on_hold = serializers.BooleanField(source="is_held")


class StockOut(serializers.Serializer[Any]):
    """What there is of an item at the site; at most 500 places."""

    item = serializers.CharField()
    on_hand = serializers.DecimalField(**QUANTITY)
    held = serializers.DecimalField(**QUANTITY)
    reserved = serializers.DecimalField(**QUANTITY)
    free = serializers.DecimalField(**QUANTITY)
    # On its way from another site.
    in_transit = serializers.DecimalField(**QUANTITY)
    places = QuantOut(many=True)


class ReceiptIn(SiteIn):
    """Goods that came in; lot, serial numbers and origin as the item's policy asks."""

    item = serializers.CharField(max_length=60)
    quantity = serializers.DecimalField(**QUANTITY)
    reference = serializers.CharField(max_length=60)
    bin = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    lot = serializers.CharField(
        max_length=LONGEST_CODE, required=False, allow_blank=True, default=""
    )
    serials = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_CODE),
        required=False,
        max_length=10_000,
        default=list,
    )
    supplier = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    supplier_lot = serializers.CharField(
        max_length=LONGEST_CODE, required=False, allow_blank=True, default=""
    )
    expires_on = serializers.DateField(required=False, allow_null=True, default=None)


class ThingIn(StrictSerializer):
    """What is meant: an item, and of a tracked one its lot or its serial number."""

    item = serializers.CharField(max_length=60)
    lot = serializers.CharField(
        max_length=LONGEST_CODE, required=False, allow_blank=True, default=""
    )
    serial = serializers.CharField(
        max_length=LONGEST_CODE, required=False, allow_blank=True, default=""
    )


class MoveIn(SiteIn, ThingIn):
    """From one bin into another of the site: "A-01", "MAIN/A-01" or "SITE/MAIN/A-01"."""

    from_bin = serializers.CharField(max_length=120)
    to_bin = serializers.CharField(max_length=120)
    quantity = serializers.DecimalField(**QUANTITY)
    reason = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")


class CountLineIn(ThingIn):
    bin = serializers.CharField(max_length=120)
    counted = serializers.DecimalField(**QUANTITY, min_value=0)


class CountIn(SiteIn):
    """A whole count, handed in at once."""

    title = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    lines = CountLineIn(many=True, allow_empty=False)


class CountOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    state = serializers.CharField()


class HoldIn(ThingIn):
    reason = serializers.CharField(max_length=200)


class HoldOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    lot = serializers.CharField(source="lot.number", allow_null=True, default=None)
    serial = serializers.CharField(source="unit.number", allow_null=True, default=None)
    reason = serializers.CharField()
    placed_at = serializers.DateTimeField()
    released_at = serializers.DateTimeField(allow_null=True)


class ReleaseIn(StrictSerializer):
    reason = serializers.CharField(max_length=200)
