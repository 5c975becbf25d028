"""The store over HTTP. Whatever a body names and is not there answers 400 at its field."""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response

from common.api import ApiRequest, ApiView, ListApiView
from erp import selectors
from erp.api.lookup import SITE, bin_named, missing, site_asked, site_named
from erp.api.serializers import (
    CountIn,
    CountOut,
    HoldIn,
    HoldOut,
    MoveIn,
    ReceiptIn,
    ReleaseIn,
    StockOut,
)
from erp.enums import MoveKind
from erp.services import counts, holds, moving, stock
from masterdata import selectors as masterdata
from traceability import selectors as traceability

MOST_PLACES = 500


def _thing(data: dict[str, Any]) -> tuple[Any, int | None, int | None]:
    """Item, lot id and unit id that a body names."""
    item = masterdata.item_by_code(data["item"])
    if item is None:
        raise missing("item", data["item"])
    lot_id = unit_id = None
    if data["lot"]:
        lot = traceability.lot_of(item_id=item.pk, number=data["lot"])
        if lot is None:
            raise missing("lot", data["lot"])
        lot_id = lot.pk
    if data["serial"]:
        unit = traceability.unit_of(item_id=item.pk, number=data["serial"])
        if unit is None:
            raise missing("serial", data["serial"])
        unit_id = unit.pk
    return item, lot_id, unit_id


def _stock_body(item: Any, site_id: int) -> Any:
    balance = selectors.balances(site_id=site_id).filter(item=item.pk).first()
    zero = Decimal(0)
    figures = {
        name: getattr(balance, name) if balance else zero
        for name in ("on_hand", "held", "reserved", "free")
    }
    places = selectors.quants(site_id=site_id, item_id=item.pk)[:MOST_PLACES]
    figures["in_transit"] = selectors.in_transit(item_id=item.pk, site_id=site_id)
    return StockOut({"item": item.code, **figures, "places": places}).data


class StockView(ApiView):
    required_permission = "erp.view_stock"

    @extend_schema(parameters=[SITE], responses=StockOut)
    def get(self, request: ApiRequest, code: str) -> Response:
        item = masterdata.item_by_code(code)
        if item is None:
            raise Http404
        return Response(_stock_body(item, site_asked(request)))


class ReceiptView(ApiView):
    required_permission = "erp.receive_stock"

    @extend_schema(request=ReceiptIn, responses={201: StockOut})
    def post(self, request: ApiRequest) -> Response:
        body = ReceiptIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        site = site_named(data["site"])
        item = masterdata.item_by_code(data["item"])
        if item is None:
            raise missing("item", data["item"])
        place = bin_named("bin", data["bin"], site) if data["bin"] else None
        supplier = masterdata.supplier_ids().get(data["supplier"])
        if data["supplier"] and supplier is None:
            raise missing("supplier", data["supplier"])
        site_id = place.warehouse.site_id if place else site
        stock.receive(
            item_id=item.pk,
            site_id=site_id,
            quantity=data["quantity"],
            kind=MoveKind.RECEIPT,
            reference=data["reference"],
            by=request.user,
            now=timezone.now(),
            bin_id=place.pk if place else None,
            lot_number=data["lot"],
            serials=data["serials"],
            origin=stock.Origin(supplier, data["supplier_lot"], data["expires_on"]),
        )
        return Response(_stock_body(item, site_id), status=status.HTTP_201_CREATED)


class MoveView(ApiView):
    required_permission = "erp.relocate_stock"

    @extend_schema(request=MoveIn, responses={201: StockOut})
    def post(self, request: ApiRequest) -> Response:
        body = MoveIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        site = site_named(data["site"])
        item, lot_id, unit_id = _thing(data)
        start, end = (
            bin_named("from_bin", data["from_bin"], site),
            bin_named("to_bin", data["to_bin"], site),
        )
        moving.move(
            source=moving.Where(start.pk, item.pk, lot_id, [unit_id] if unit_id else []),
            to_bin_id=end.pk,
            quantity=data["quantity"],
            reason=data["reason"],
            by=request.user,
            now=timezone.now(),
        )
        return Response(_stock_body(item, site), status=status.HTTP_201_CREATED)


class CountView(ApiView):
    required_permission = "erp.count_stock"

    @extend_schema(request=CountIn, responses={201: CountOut})
    # All of it or nothing: half a count that nobody hands in would stay open.
    @transaction.atomic
    def post(self, request: ApiRequest) -> Response:
        body = CountIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        site = site_named(data["site"])
        act: dict[str, Any] = {"by": request.user, "now": timezone.now()}
        session = counts.start(site_id=site, title=data["title"], **act)
        for line in data["lines"]:
            item, lot_id, unit_id = _thing(line)
            counts.enter(
                session=session,
                bin_id=bin_named("bin", line["bin"], site).pk,
                item_id=item.pk,
                lot_id=lot_id,
                unit_id=unit_id,
                counted=line["counted"],
                **act,
            )
        session = counts.submit(session=session, **act)
        return Response(CountOut(session).data, status=status.HTTP_201_CREATED)


class HoldView(ListApiView):
    """What is on hold, the newest first. POST lays a hold on a lot or a serial number."""

    required_permission = {"GET": "erp.view_stock", "POST": "erp.hold_stock"}
    serializer_class = HoldOut

    def get_queryset(self) -> Any:
        return traceability.open_holds()

    @extend_schema(request=HoldIn, responses={201: HoldOut})
    def post(self, request: ApiRequest) -> Response:
        body = HoldIn(data=request.data)
        body.is_valid(raise_exception=True)
        _item, lot_id, unit_id = _thing(body.validated_data)
        if (lot_id is None) == (unit_id is None):
            raise serializers.ValidationError({"lot": [_("Name a lot or a serial number.")]})
        ids = holds.hold(
            lot_ids=[lot_id] if lot_id else [],
            unit_ids=[unit_id] if unit_id else [],
            reason=body.validated_data["reason"],
            by=request.user,
            now=timezone.now(),
        )
        placed = traceability.holds(ids)[0]
        return Response(HoldOut(placed).data, status=status.HTTP_201_CREATED)


class ReleaseView(ApiView):
    required_permission = "erp.release_hold"

    @extend_schema(request=ReleaseIn, responses=HoldOut)
    def post(self, request: ApiRequest, pk: int) -> Response:
        body = ReleaseIn(data=request.data)
        body.is_valid(raise_exception=True)
        get_object_or_404(traceability.open_holds(), pk=pk)
        reason = body.validated_data["reason"]
        holds.release(hold_ids=[pk], reason=reason, by=request.user, now=timezone.now())
        return Response(HoldOut(traceability.holds([pk])[0]).data)
