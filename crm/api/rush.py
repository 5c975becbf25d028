"""Rush requests over HTTP; the same services as the pages."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response

from common.api import ApiRequest, ApiView, ListApiView, StrictSerializer
from crm.api.serializers import ReasonIn, RequestedDate
from crm.enums import RushState
from crm.models import RushRequest, SalesOrderLine
from crm.services import rush
from crm.services.rush import CannotDecide


class RushIn(StrictSerializer):
    """The line by order and position, and the day at the customer's door."""

    order = serializers.CharField(max_length=20)
    position = serializers.IntegerField(min_value=1)
    wanted_date = RequestedDate()
    reason = serializers.CharField(max_length=300)
    # False: it is only assessed, until it is submitted.
    wants_decision = serializers.BooleanField(required=False)


class RushOut(serializers.Serializer[Any]):
    """A request; ``assessment`` is empty while it is simulated, see docs/adr/0004."""

    number = serializers.CharField()
    order = serializers.CharField(source="line.order.number")
    position = serializers.IntegerField(source="line.position")
    status = serializers.ChoiceField(source="state", choices=RushState.choices)
    wanted_date = serializers.DateField()
    promised_date = serializers.DateField(source="line.promised_date", allow_null=True)
    reason = serializers.CharField()
    requested_by = serializers.CharField(source="requested_by.username", default=None)
    requested_at = serializers.DateTimeField()
    decided_by = serializers.CharField(source="decided_by.username", default=None)
    decided_at = serializers.DateTimeField(allow_null=True)
    decision_reason = serializers.CharField()
    applied_at = serializers.DateTimeField(allow_null=True)
    scenario = serializers.IntegerField(source="run_id", allow_null=True)
    progress = serializers.DictField(source="run.progress", default=dict)
    assessment = serializers.DictField()


def _rushes() -> QuerySet[RushRequest]:
    return RushRequest.objects.select_related(
        "line__order", "requested_by", "decided_by", "run"
    ).order_by("-requested_at", "-pk")


def _find(number: str) -> RushRequest:
    return get_object_or_404(_rushes(), number=number)


def _answer(found: RushRequest, code: int = status.HTTP_200_OK) -> Response:
    return Response(RushOut(_find(found.number)).data, status=code)


class RushListView(ListApiView):
    """Rush requests, newest first; ``?status=`` narrows. POST asks for one and simulates it."""

    required_permission = {"GET": "crm.view_order", "POST": "crm.request_rush"}
    serializer_class = RushOut

    def get_queryset(self) -> QuerySet[RushRequest]:
        wanted = self.request.query_params.get("status")
        return _rushes().filter(state=wanted) if wanted in RushState.values else _rushes()

    @extend_schema(request=RushIn, responses={201: RushOut})
    def post(self, request: ApiRequest) -> Response:
        body = RushIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        line = get_object_or_404(
            SalesOrderLine, order__number=data["order"], position=data["position"]
        )
        found = rush.request(
            line=line,
            wanted_date=data["wanted_date"],
            reason=data["reason"],
            wants_decision=data.get("wants_decision", True),
            by=request.user,
            now=timezone.now(),
        )
        return _answer(found, status.HTTP_201_CREATED)


class RushView(ApiView):
    required_permission = "crm.view_order"

    @extend_schema(responses=RushOut)
    def get(self, request: ApiRequest, number: str) -> Response:
        return _answer(_find(number))


class RushSubmitView(ApiView):
    required_permission = "crm.request_rush"

    @extend_schema(request=None, responses=RushOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        return _answer(rush.submit(rush=_find(number), by=request.user, now=timezone.now()))


class RushApproveView(ApiView):
    """Apply the simulated plan; 409 where the plan has moved, and it is simulated anew."""

    required_permission = "crm.decide_rush"

    @extend_schema(request=None, responses=RushOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        found = _find(number)
        try:
            found = rush.approve(rush=found, by=request.user, now=timezone.now())
        except CannotDecide as refused:
            # Answered here and not raised: that it is simulated anew has to stay.
            return Response({"detail": str(refused)}, status=status.HTTP_409_CONFLICT)
        return _answer(found)


class RushRejectView(ApiView):
    required_permission = "crm.decide_rush"

    @extend_schema(request=ReasonIn, responses=RushOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        body = ReasonIn(data=request.data)
        body.is_valid(raise_exception=True)
        reason = body.validated_data["reason"]
        found = rush.reject(rush=_find(number), reason=reason, by=request.user, now=timezone.now())
        return _answer(found)


class RushCancelView(ApiView):
    required_permission = "crm.request_rush"

    @extend_schema(request=None, responses=RushOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        return _answer(rush.cancel(rush=_find(number), by=request.user, now=timezone.now()))
