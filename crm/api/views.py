"""Orders, promise checks and shipments over HTTP; the same services as the pages."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.response import Response

from aps.services import promises
from common.api import ApiRequest, ApiView, ListApiView
from crm import selectors
from crm.api import serializers
from crm.api.place import site_meant
from crm.enums import OrderState
from crm.models import SalesOrder, Shipment
from crm.services import orders, shipments
from erp import selectors as erp
from mes import selectors as mes

# What the API tells of an answer besides the item, whose code it takes from the question.
_ANSWER_FIELDS = [str(name) for name in serializers.PromiseLineOut().fields if str(name) != "item"]


def _order_body(number: str) -> dict[str, Any]:
    order = selectors.order(number)
    ids = selectors.requirement_ids(list(order.lines.all()))
    context = {"work_orders": mes.work_order_rows(ids)}
    return dict(serializers.OrderOut(order, context=context).data)


def _find(number: str) -> SalesOrder:
    return get_object_or_404(SalesOrder, number=number)


class PromiseCheckView(ApiView):
    """Can these dates be kept, when at the earliest, and why? Reserves nothing."""

    required_permission = "crm.check_promise"

    @extend_schema(request=serializers.PromiseCheckIn, responses=serializers.PromiseCheckOut)
    def post(self, request: ApiRequest) -> Response:
        body = serializers.PromiseCheckIn(data=request.data)
        body.is_valid(raise_exception=True)
        customer = body.validated_data.get("customer")
        answers = promises.check(
            site_id=site_meant(
                body.validated_data["site"],
                item_ids=[line["item"].pk for line in body.validated_data["lines"]],
                on=timezone.now().date(),
            ),
            customer_id=customer.pk if customer else None,
            lines=[
                promises.LineRequest(
                    item_id=line["item"].pk,
                    quantity=line["quantity"],
                    requested_date=line["requested_date"],
                )
                for line in body.validated_data["lines"]
            ],
            now=timezone.now(),
        )
        rows = [
            {
                "item": line["item"].code,
                **{name: getattr(answer, name) for name in _ANSWER_FIELDS},
            }
            for line, answer in zip(body.validated_data["lines"], answers, strict=True)
        ]
        version = answers[0].schedule_version if answers else None
        return Response(
            serializers.PromiseCheckOut({"schedule_version": version, "lines": rows}).data
        )


class OrderListView(ListApiView):
    """Orders, newest first; ``?status=`` narrows. POST makes a draft."""

    required_permission = {"GET": "crm.view_order", "POST": "crm.edit_order"}
    serializer_class = serializers.OrderRowOut

    def get_queryset(self) -> QuerySet[SalesOrder]:
        wanted = self.request.query_params.get("status")
        found = selectors.orders()
        return found.filter(state=wanted) if wanted in OrderState.values else found

    @extend_schema(request=serializers.OrderIn, responses={201: serializers.OrderOut})
    def post(self, request: ApiRequest) -> Response:
        body = serializers.OrderIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        order = orders.create(
            site_id=site_meant(
                data["site"],
                item_ids=[line["item"].pk for line in data["lines"]],
                on=timezone.now().date(),
            ),
            customer_id=data["customer"].pk,
            customer_reference=data.get("customer_reference", ""),
            note=data.get("note", ""),
            lines=[
                orders.NewLine(
                    item_id=line["item"].pk,
                    quantity=line["quantity"],
                    requested_date=line["requested_date"],
                    unit_price=line.get("unit_price"),
                )
                for line in data["lines"]
            ],
            by=request.user,
            now=timezone.now(),
        )
        return Response(_order_body(order.number), status=status.HTTP_201_CREATED)


class OrderDetailView(ApiView):
    required_permission = "crm.view_order"

    @extend_schema(responses=serializers.OrderOut)
    def get(self, request: ApiRequest, number: str) -> Response:
        return Response(_order_body(_find(number).number))


class OrderSubmitView(ApiView):
    required_permission = "crm.submit_order"

    @extend_schema(request=serializers.SubmitIn, responses=serializers.OrderOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        body = serializers.SubmitIn(data=request.data)
        body.is_valid(raise_exception=True)
        order = orders.submit(
            order=_find(number),
            by=request.user,
            now=timezone.now(),
            rush_positions=frozenset(body.validated_data.get("rush", [])),
        )
        return Response(_order_body(order.number))


class OrderApproveView(ApiView):
    required_permission = "crm.approve_order"

    @extend_schema(request=None, responses=serializers.OrderOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        order = orders.approve(order=_find(number), by=request.user, now=timezone.now())
        return Response(_order_body(order.number))


class OrderRejectView(ApiView):
    required_permission = "crm.approve_order"

    @extend_schema(request=serializers.ReasonIn, responses=serializers.OrderOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        body = serializers.ReasonIn(data=request.data)
        body.is_valid(raise_exception=True)
        order = orders.reject(
            order=_find(number),
            reason=body.validated_data["reason"],
            by=request.user,
            now=timezone.now(),
        )
        return Response(_order_body(order.number))


class OrderCancelView(ApiView):
    required_permission = "crm.cancel_order"

    @extend_schema(request=serializers.ReasonIn, responses=serializers.CancelledOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        body = serializers.ReasonIn(data=request.data)
        body.is_valid(raise_exception=True)
        undone = orders.cancel(
            order=_find(number),
            reason=body.validated_data["reason"],
            by=request.user,
            now=timezone.now(),
        )
        return Response(
            {
                "undone": list(undone.undone),
                "remaining": list(undone.remaining),
                "order": _order_body(number),
            }
        )


class ShipmentListView(ApiView):
    """Ship; without lines, all that is ready of the order."""

    required_permission = "crm.ship"

    @extend_schema(request=serializers.ShipmentIn, responses={201: serializers.ShipmentOut})
    def post(self, request: ApiRequest) -> Response:
        body = serializers.ShipmentIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        order = _find(data["order"])
        if "lines" in data:
            quantities = {line["position"]: line["quantity"] for line in data["lines"]}
        else:
            lines = list(order.lines.filter(is_cancelled=False))
            ready = erp.reserved_quantities(selectors.requirement_ids(lines))
            quantities = {
                line.position: ready[line.requirement_id or 0]
                for line in lines
                if ready.get(line.requirement_id or 0)
            }
        shipment = shipments.post(
            order=order,
            quantities=quantities,
            carrier=data.get("carrier", ""),
            tracking_code=data.get("tracking_code", ""),
            by=request.user,
            now=timezone.now(),
        )
        return Response(serializers.ShipmentOut(shipment).data, status=status.HTTP_201_CREATED)


class ShipmentDeliverView(ApiView):
    required_permission = "crm.deliver"

    @extend_schema(request=None, responses=serializers.ShipmentOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        shipment = get_object_or_404(Shipment, number=number)
        shipment = shipments.deliver(shipment=shipment, by=request.user, now=timezone.now())
        return Response(serializers.ShipmentOut(shipment).data)
