"""Lots are split and put together over HTTP; the same services as the pages."""

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response

from common.api import ApiRequest, ApiView
from erp import selectors
from erp.api.lookup import SiteIn, bin_named, missing, site_named
from erp.models.quantities import QUANTITY
from erp.services import lots
from masterdata import selectors as masterdata
from traceability import selectors as traceability
from traceability.selectors import LONGEST_CODE

if TYPE_CHECKING:
    from traceability.models import Lot

# Guards the look-ups; how many lots may be put together is ruled in ``policies_lots``.
MOST_LOTS = 200


class RelabelIn(SiteIn):
    """Which item in which bin, and the new lot's number; empty: the next one is given."""

    item = serializers.CharField(max_length=60)
    bin = serializers.CharField(max_length=120)
    number = serializers.CharField(
        max_length=LONGEST_CODE, required=False, allow_blank=True, default=""
    )
    reason = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")


class LotSplitIn(RelabelIn):
    """So much of what lies of a lot in the bin."""

    lot = serializers.CharField(max_length=LONGEST_CODE)
    quantity = serializers.DecimalField(**QUANTITY)


class LotMergeIn(RelabelIn):
    """All that lies of these lots in the bin."""

    lots = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_CODE),
        allow_empty=False,
        max_length=MOST_LOTS,
    )


class RelabelledLotOut(serializers.Serializer[Any]):
    """The lot that came of it, and what lies of it in the bin."""

    id = serializers.IntegerField(source="lot.pk")
    item = serializers.CharField(source="item.code")
    lot = serializers.CharField(source="lot.number")
    bin = serializers.CharField(source="bin.label")
    quantity = serializers.DecimalField(**QUANTITY)
    supplier = serializers.CharField(source="lot.supplier.code", allow_null=True, default=None)
    supplier_lot = serializers.CharField(source="lot.supplier_lot")
    expires_on = serializers.DateField(source="lot.expires_on", allow_null=True)


class LotSplitView(ApiView):
    """Give a part of a lot a number of its own."""

    required_permission = "erp.relocate_stock"

    @extend_schema(request=LotSplitIn, responses={201: RelabelledLotOut})
    def post(self, request: ApiRequest) -> Response:
        body = LotSplitIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        item_id, bin_id = _where(data)
        new = lots.split(
            lot_id=_lot_named("lot", item_id, data["lot"]),
            bin_id=bin_id,
            quantity=data["quantity"],
            number=data["number"],
            reason=data["reason"],
            by=request.user,
            now=timezone.now(),
        )
        return _answer(new, bin_id)


class LotMergeView(ApiView):
    """Put lots of an item together as a new lot."""

    required_permission = "erp.relocate_stock"

    @extend_schema(request=LotMergeIn, responses={201: RelabelledLotOut})
    def post(self, request: ApiRequest) -> Response:
        body = LotMergeIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        item_id, bin_id = _where(data)
        new = lots.merge(
            lot_ids=[_lot_named("lots", item_id, number) for number in data["lots"]],
            bin_id=bin_id,
            number=data["number"],
            reason=data["reason"],
            by=request.user,
            now=timezone.now(),
        )
        return _answer(new, bin_id)


def _where(data: dict[str, Any]) -> tuple[int, int]:
    """Ids of the item and of the bin that a body names."""
    item = masterdata.item_by_code(data["item"])
    if item is None:
        raise missing("item", data["item"])
    return item.pk, bin_named("bin", data["bin"], site_named(data["site"])).pk


def _lot_named(field: str, item_id: int, number: str) -> int:
    lot = traceability.lot_of(item_id=item_id, number=number)
    if lot is None:
        raise missing(field, number)
    return lot.pk


def _answer(new: "Lot", bin_id: int) -> Response:
    lying = selectors.quants(lot_id=new.pk, bin_id=bin_id).get()
    return Response(RelabelledLotOut(lying).data, status=status.HTTP_201_CREATED)
