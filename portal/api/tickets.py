"""The customer's complaints over HTTP, for a customer's token: the same facts as the pages."""

from typing import Any, cast

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ErrorDetail, Throttled
from rest_framework.response import Response

from common.api import ApiRequest, ApiView, ListApiView, StrictSerializer
from crm.services import ticket_portal
from portal import selectors_tickets
from portal.api.views import customer_id_of


class PortalTicketIn(StrictSerializer):
    serial_number = serializers.CharField(max_length=200)
    title = serializers.CharField(max_length=200)
    text = serializers.CharField(max_length=20_000)


class PortalTextIn(StrictSerializer):
    text = serializers.CharField(max_length=20_000)


class PortalSaidOut(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    is_mine = serializers.BooleanField()
    author = serializers.CharField(allow_blank=True)
    text = serializers.CharField()
    report = serializers.CharField(allow_blank=True)


class PortalReportOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    issued_at = serializers.DateTimeField()


class PortalReturnOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    status = serializers.CharField(source="state")
    disposition = serializers.CharField(allow_blank=True)


class PortalFindingStepOut(serializers.Serializer[Any]):
    step = serializers.CharField(source="discipline.name")
    due_on = serializers.DateField()
    done_at = serializers.DateTimeField(allow_null=True)


class PortalFindingOut(serializers.Serializer[Any]):
    """The customer's part of an 8D."""

    number = serializers.CharField()
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    problem = serializers.CharField()
    containment = serializers.CharField()
    cause = serializers.CharField(allow_blank=True)
    actions = serializers.CharField(allow_blank=True)
    steps = PortalFindingStepOut(many=True)


class PortalTicketRowOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    title = serializers.CharField()
    status = serializers.CharField(source="state")
    opened_at = serializers.DateTimeField()
    item = serializers.CharField(source="item_code", allow_blank=True)
    name = serializers.CharField(source="item_name", allow_blank=True)
    serial_number = serializers.CharField(source="serial", allow_blank=True)


class PortalTicketOut(PortalTicketRowOut):
    messages = PortalSaidOut(many=True)
    reports = PortalReportOut(many=True)
    returns = PortalReturnOut(many=True)
    finding = PortalFindingOut(allow_null=True)


def _answer(customer_id: int, number: str, code: int = status.HTTP_200_OK) -> Response:
    found = selectors_tickets.ticket(customer_id=customer_id, number=number)
    if found is None:
        raise Http404
    return Response(PortalTicketOut(found).data, status=code)


def _throttled(refused: ticket_portal.TooMuch) -> Throttled:
    """429, and after how many seconds again."""
    made = Throttled(refused.wait.total_seconds())
    made.detail = ErrorDetail(str(refused), code=made.default_code)
    return made


class TicketListView(ListApiView):
    """My complaints, newest first. POST complains; 404 for a number that is none of mine."""

    required_permission = "portal.view"
    serializer_class = PortalTicketRowOut

    def get_queryset(self) -> selectors_tickets.TicketsOf:  # type: ignore[override]
        return selectors_tickets.tickets(customer_id=customer_id_of(cast(ApiRequest, self.request)))

    @extend_schema(request=PortalTicketIn, responses={201: PortalTicketOut})
    def post(self, request: ApiRequest) -> Response:
        customer_id = customer_id_of(request)
        body = PortalTicketIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        try:
            made = ticket_portal.complain(
                customer_id=customer_id,
                serial=data["serial_number"],
                title=data["title"],
                body=data["text"],
                by=request.user,
                now=timezone.now(),
            )
        except ticket_portal.NotYours as error:
            raise Http404 from error
        except ticket_portal.TooMuch as error:
            raise _throttled(error) from error
        return _answer(customer_id, made.number, status.HTTP_201_CREATED)


class TicketDetailView(ApiView):
    """One of my complaints; another customer's is a 404."""

    required_permission = "portal.view"

    @extend_schema(responses=PortalTicketOut)
    def get(self, request: ApiRequest, number: str) -> Response:
        return _answer(customer_id_of(request), number)


class TicketAnswerView(ApiView):
    """Go on with one of my complaints."""

    required_permission = "portal.view"

    @extend_schema(request=PortalTextIn, responses={201: PortalTicketOut})
    def post(self, request: ApiRequest, number: str) -> Response:
        customer_id = customer_id_of(request)
        body = PortalTextIn(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            ticket_portal.answer(
                customer_id=customer_id,
                number=number,
                body=body.validated_data["text"],
                by=request.user,
                now=timezone.now(),
            )
        except ticket_portal.NoTicket as error:
            raise Http404 from error
        except ticket_portal.TooMuch as error:
            raise _throttled(error) from error
        return _answer(customer_id, number, status.HTTP_201_CREATED)
