"""The customer's orders over HTTP, for a customer's token: the same facts as the pages."""

from typing import Any, cast

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from common.api import ApiRequest, ApiView, ListApiView
from portal import selectors


class PortalLineOut(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    item = serializers.CharField(source="item_code")
    name = serializers.CharField(source="item_name")
    unit = serializers.CharField()
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4)
    shipped = serializers.DecimalField(max_digits=14, decimal_places=4)
    percent_made = serializers.IntegerField()
    current_operation = serializers.CharField(allow_blank=True)
    requested_date = serializers.DateField()
    promised_date = serializers.DateField(allow_null=True)
    estimated_date = serializers.DateField(allow_null=True)
    is_cancelled = serializers.BooleanField()


class PortalStepOut(serializers.Serializer[Any]):
    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    state = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    percent = serializers.IntegerField(allow_null=True)


class PortalDateChangeOut(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    old_date = serializers.DateField(allow_null=True)
    new_date = serializers.DateField(allow_null=True)
    reason = serializers.CharField()


class PortalNoticeOut(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    order = serializers.CharField()
    reference = serializers.CharField(allow_blank=True)
    line = serializers.IntegerField(source="position")
    item = serializers.CharField(source="item_code")
    name = serializers.CharField(source="item_name")
    old_date = serializers.DateField()
    new_date = serializers.DateField()
    is_later = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True)


class PortalConsignmentOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    shipped_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    carrier = serializers.CharField(allow_blank=True)
    tracking_code = serializers.CharField(allow_blank=True)
    items = serializers.SerializerMethodField()

    def get_items(self, shipment: selectors.Consignment) -> list[dict[str, str]]:
        return [{"item": code, "quantity": str(quantity)} for code, quantity in shipment.items]


class PortalOrderOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    reference = serializers.CharField(allow_blank=True)
    status = serializers.CharField(source="state")
    headline = serializers.CharField()
    promised_date = serializers.DateField(allow_null=True)
    estimated_date = serializers.DateField(allow_null=True)
    is_late = serializers.BooleanField()
    lines = PortalLineOut(many=True)
    steps = PortalStepOut(many=True)
    date_changes = PortalDateChangeOut(many=True)
    notices = PortalNoticeOut(many=True)
    shipments = PortalConsignmentOut(many=True)


def customer_id_of(request: ApiRequest) -> int:
    """Whose token it is; raise Http404 for an account of no customer."""
    try:
        return selectors.customer_id_of(request.user)
    except selectors.NoCustomer as error:
        raise Http404 from error


class OrderListView(ListApiView):
    """My orders, newest first."""

    required_permission = "portal.view"
    serializer_class = PortalOrderOut

    def get_queryset(self) -> selectors.OrdersOf:  # type: ignore[override]
        return selectors.orders(customer_id=customer_id_of(cast(ApiRequest, self.request)))


class NoticeListView(ListApiView):
    """What I was told of other delivery days: from, to, why; newest first."""

    required_permission = "portal.view"
    serializer_class = PortalNoticeOut

    def get_queryset(self) -> selectors.NoticesOf:  # type: ignore[override]
        return selectors.notices(customer_id=customer_id_of(cast(ApiRequest, self.request)))


class OrderDetailView(ApiView):
    """One of my orders; another customer's is a 404."""

    required_permission = "portal.view"

    @extend_schema(responses=PortalOrderOut)
    def get(self, request: ApiRequest, number: str) -> Response:
        found = selectors.order(customer_id=customer_id_of(request), number=number)
        if found is None:
            raise Http404
        return Response(PortalOrderOut(found).data)
