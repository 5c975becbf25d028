"""Goods that go to another site, over HTTP; the same services as the pages."""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.response import Response

from common.api import ApiRequest, ApiView, ListApiView, StrictSerializer
from erp import selectors
from erp.api.lookup import bin_named, missing
from erp.enums import TransferState
from erp.models import StockTransfer
from erp.models.quantities import QUANTITY
from erp.services import transfers
from erp.services.moving import Where
from masterdata import selectors as masterdata
from traceability import selectors as traceability
from traceability.selectors import LONGEST_CODE

MOST_SERIALS = 10_000


class TransferLineOut(serializers.Serializer[Any]):
    """An item (of one lot) in the consignment; serial units of an item are one line."""

    item = serializers.CharField(source="item.code")
    lot = serializers.CharField(source="lot.number", allow_null=True, default=None)
    quantity = serializers.DecimalField(**QUANTITY)
    received = serializers.DecimalField(**QUANTITY)
    missing = serializers.DecimalField(**QUANTITY)


class TransferOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    from_site = serializers.CharField(source="from_site.code")
    to_site = serializers.CharField(source="to_site.code")
    state = serializers.ChoiceField(choices=TransferState.choices)
    arrives_on = serializers.DateField()
    dispatched_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField()


class TransferDetailOut(TransferOut):
    difference_reason = serializers.CharField()
    lines = serializers.SerializerMethodField()

    @extend_schema_field(TransferLineOut(many=True))
    def get_lines(self, transfer: StockTransfer) -> Any:
        return TransferLineOut(selectors.transfer_contents(transfer), many=True).data


class TransferLineIn(StrictSerializer):
    """What goes: so much of an item or of its lot, or serial numbers, from one bin."""

    item = serializers.CharField(max_length=60)
    bin = serializers.CharField(max_length=120)
    lot = serializers.CharField(
        max_length=LONGEST_CODE, required=False, allow_blank=True, default=""
    )
    serials = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_CODE),
        required=False,
        max_length=MOST_SERIALS,
        default=list,
    )
    quantity = serializers.DecimalField(**QUANTITY, required=False, allow_null=True, default=None)


class TransferIn(StrictSerializer):
    """A consignment that leaves at once. ``from_site``: the first site where it is not named."""

    from_site = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    to_site = serializers.CharField(max_length=40)
    arrives_on = serializers.DateField()
    note = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    lines = TransferLineIn(many=True, allow_empty=False)


class ArrivalLineIn(StrictSerializer):
    """What arrived of an item, of its lot, or which of its serial numbers."""

    item = serializers.CharField(max_length=60)
    lot = serializers.CharField(
        max_length=LONGEST_CODE, required=False, allow_blank=True, default=""
    )
    serials = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_CODE),
        required=False,
        max_length=MOST_SERIALS,
        default=list,
    )
    quantity = serializers.DecimalField(**QUANTITY, required=False, allow_null=True, default=None)


class ArrivalIn(StrictSerializer):
    """What arrived; no lines: all that is under way."""

    bin = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    lines = ArrivalLineIn(many=True, required=False, default=list)


class CloseIn(StrictSerializer):
    reason = serializers.CharField(max_length=200)


class TransferList(ListApiView):
    """Transfers, the newest first; ``show`` (draft, under_way, over) and ``q`` narrow.

    POST packs and dispatches one.
    """

    required_permission = {"GET": "erp.view_stock", "POST": "erp.move_stock"}
    serializer_class = TransferOut

    def get_queryset(self) -> QuerySet[StockTransfer]:
        asked = self.request.query_params
        return selectors.transfers(
            group=asked.get("show", ""), text=asked.get("q", "").replace("\x00", "")
        )

    @extend_schema(request=TransferIn, responses={201: TransferDetailOut})
    def post(self, request: ApiRequest) -> Response:
        body = TransferIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        act: dict[str, Any] = {"by": request.user, "now": timezone.now()}
        start = _site("from_site", data["from_site"])
        with transaction.atomic():
            made = transfers.draft(
                from_site_id=start,
                to_site_id=_site("to_site", data["to_site"]),
                arrives_on=data["arrives_on"],
                note=data["note"],
                **act,
            )
            for line in data["lines"]:
                source, quantity = _source(line, start)
                transfers.pack(transfer=made, source=source, quantity=quantity, **act)
            transfers.dispatch(transfer=made, **act)
        return Response(_body(made.number), status=status.HTTP_201_CREATED)


class TransferView(ApiView):
    """One transfer with what is in it."""

    required_permission = "erp.view_stock"

    @extend_schema(responses=TransferDetailOut)
    def get(self, request: ApiRequest, number: str) -> Response:
        return Response(_body(number))


class ArrivalView(ApiView):
    """Book in what arrived."""

    required_permission = "erp.receive_stock"

    @extend_schema(request=ArrivalIn, responses=TransferDetailOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        body = ArrivalIn(data=request.data)
        body.is_valid(raise_exception=True)
        transfer, data = _transfer(number), body.validated_data
        place = bin_named("bin", data["bin"], transfer.to_site_id) if data["bin"] else None
        transfers.receive(
            transfer=transfer,
            arrivals=_arrivals(transfer, data["lines"]),
            bin_id=place.pk if place else None,
            by=request.user,
            now=timezone.now(),
        )
        return Response(_body(number))


class CloseView(ApiView):
    """What has not arrived does not arrive any more."""

    required_permission = "erp.receive_stock"

    @extend_schema(request=CloseIn, responses=TransferDetailOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        body = CloseIn(data=request.data)
        body.is_valid(raise_exception=True)
        reason = body.validated_data["reason"]
        transfer = _transfer(number)
        transfers.close(transfer=transfer, reason=reason, by=request.user, now=timezone.now())
        return Response(_body(number))


def _site(field: str, code: str) -> int:
    if not code and field == "from_site":
        return masterdata.default_site().pk
    for site in masterdata.sites():
        if site.code == code:
            return site.pk
    raise missing(field, code)


def _source(line: dict[str, Any], site_id: int) -> tuple[Where, Decimal]:
    item = masterdata.item_by_code(line["item"])
    if item is None:
        raise missing("item", line["item"])
    place = bin_named("bin", line["bin"], site_id)
    units = traceability.units_of(item_id=item.pk, numbers=line["serials"])
    for number in line["serials"]:
        if traceability.normalised(number) not in units:
            raise missing("serials", number)
    lot = None
    if line["lot"]:
        lot = traceability.lot_of(item_id=item.pk, number=line["lot"])
        if lot is None:
            raise missing("lot", line["lot"])
    ids = [unit.pk for unit in units.values()]
    quantity = line["quantity"] if line["quantity"] is not None else Decimal(len(ids))
    return Where(place.pk, item.pk, lot.pk if lot else None, ids), quantity


def _arrivals(transfer: StockTransfer, lines: list[dict[str, Any]]) -> dict[int, Decimal]:
    """Quantities by line id; what is named and not under way answers 400."""
    under_way = list(selectors.open_transfer_lines(transfer).select_related("item", "lot", "unit"))
    if not lines:
        return {row.pk: row.open_quantity for row in under_way}
    found: dict[int, Decimal] = {}
    for line in lines:
        mine = [row for row in under_way if row.item.code == line["item"]]
        if line["lot"]:
            lot = traceability.normalised(line["lot"])
            mine = [row for row in mine if row.lot and row.lot.number_norm == lot]
        if not mine:
            raise missing("lot" if line["lot"] else "item", line["lot"] or line["item"])
        if line["serials"]:
            units = {row.unit.number_norm: row.pk for row in mine if row.unit}
            for number in line["serials"]:
                if traceability.normalised(number) not in units:
                    raise missing("serials", number)
                found[units[traceability.normalised(number)]] = Decimal(1)
            continue
        left = line["quantity"]
        if left is None:
            raise serializers.ValidationError({"quantity": [_("Say how much arrived.")]})
        for row in mine:
            share = min(left, row.open_quantity) if row is not mine[-1] else left
            if share > 0:
                found[row.pk] = found.get(row.pk, Decimal(0)) + share
                left -= share
    return found


def _transfer(number: str) -> StockTransfer:
    found = selectors.transfer(number)
    if found is None:
        raise Http404
    return found


def _body(number: str) -> Any:
    return TransferDetailOut(_transfer(number)).data
