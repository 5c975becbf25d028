"""Maintenance orders over HTTP: for the systems and tablets of those who maintain."""

from decimal import Decimal
from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from common.api import ApiRequest, ApiView, ListApiView, StrictSerializer
from common.models import User
from masterdata import selectors as masterdata
from mes import selectors
from mes.enums import MaintenanceKind, MaintenanceState
from mes.maintenance_policies import MOST_MINUTES
from mes.models import MaintenanceOrder
from mes.quality_forms import people
from mes.services import maintenance

QUANTITY: dict[str, Any] = {"max_digits": 14, "decimal_places": 4}


class MaintenanceRow(serializers.Serializer[Any]):
    number = serializers.CharField()
    work_unit = serializers.CharField(source="work_unit.code")
    kind = serializers.ChoiceField(choices=MaintenanceKind.choices)
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=MaintenanceState.choices)
    owner = serializers.CharField(source="owner.username", allow_null=True, default=None)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)


class MaintenancePartOut(serializers.Serializer[Any]):
    item = serializers.CharField(source="part.requirement.item.code")
    quantity = serializers.DecimalField(source="cover.quantity", **QUANTITY)
    issued = serializers.DecimalField(source="cover.issued", **QUANTITY)
    reserved = serializers.DecimalField(source="cover.reserved", **QUANTITY)


class MaintenanceTimeOut(serializers.Serializer[Any]):
    person = serializers.CharField(source="person.username")
    minutes = serializers.IntegerField()
    at = serializers.DateTimeField()


class MaintenanceOut(MaintenanceRow):
    task = serializers.CharField()
    result = serializers.CharField()
    parts = serializers.SerializerMethodField()
    times = MaintenanceTimeOut(source="times.all", many=True)

    @extend_schema(responses=MaintenancePartOut(many=True))
    def get_parts(self, row: MaintenanceOrder) -> Any:
        return MaintenancePartOut(selectors.maintenance_parts(row), many=True).data


class MaintenancePartIn(StrictSerializer):
    item = serializers.CharField(max_length=60)
    quantity = serializers.DecimalField(**QUANTITY, min_value=Decimal("0.0001"))


class MaintenanceIn(StrictSerializer):
    work_unit = serializers.CharField(max_length=40)
    kind = serializers.ChoiceField(choices=MaintenanceKind.choices)
    title = serializers.CharField(max_length=200)
    task = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    owner = serializers.CharField(max_length=150, required=False)
    parts = MaintenancePartIn(many=True, required=False)


class MaintenanceOwnerIn(StrictSerializer):
    owner = serializers.CharField(max_length=150)


class MaintenanceSpanIn(StrictSerializer):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class MaintenanceTimeIn(StrictSerializer):
    """``person``: a login name; without, who asks."""

    minutes = serializers.IntegerField(min_value=1, max_value=MOST_MINUTES)
    person = serializers.CharField(max_length=150, required=False)


class MaintenanceResultIn(StrictSerializer):
    result = serializers.CharField(max_length=500)


class MaintenanceReasonIn(StrictSerializer):
    reason = serializers.CharField(max_length=200)


class MaintenanceListView(ListApiView):
    """The next to begin first; ``?state=`` (``all_open`` for all that are not over), ``?q=``."""

    required_permission = {"GET": "mes.view_maintenance", "POST": "mes.plan_maintenance"}
    serializer_class = MaintenanceRow

    def get_queryset(self) -> Any:
        given = self.request.query_params
        return selectors.maintenance_orders(text=given.get("q", ""), state=given.get("state", ""))

    @extend_schema(request=MaintenanceIn, responses=MaintenanceOut)
    def post(self, request: ApiRequest) -> Response:
        data = _read(MaintenanceIn, request)
        unit = masterdata.work_unit_by_code(data["work_unit"])
        if unit is None:
            raise serializers.ValidationError({"work_unit": [_("There is no such work unit.")]})
        new = maintenance.NewOrder(
            work_unit_id=unit.pk,
            kind=MaintenanceKind(data["kind"]),
            title=data["title"],
            task=data.get("task", ""),
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
            owner=_person(data["owner"], "owner") if "owner" in data else None,
            parts=[_part(part) for part in data.get("parts", ())],
        )
        made = maintenance.create(new=new, by=request.user, now=timezone.now())
        return Response(_body(made.number), status=201)


class MaintenanceView(ApiView):
    required_permission = "mes.view_maintenance"

    @extend_schema(responses=MaintenanceOut)
    def get(self, request: ApiRequest, number: str) -> Response:
        return Response(_body(number))


class MaintenanceAssignView(ApiView):
    required_permission = "mes.plan_maintenance"

    @extend_schema(request=MaintenanceOwnerIn, responses=MaintenanceOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        row, data = _found(number), _read(MaintenanceOwnerIn, request)
        owner = _person(data["owner"], "owner")
        maintenance.assign(order=row, owner=owner, by=request.user, now=timezone.now())
        return Response(_body(number))


class MaintenanceMoveView(ApiView):
    required_permission = "mes.plan_maintenance"

    @extend_schema(request=MaintenanceSpanIn, responses=MaintenanceOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        row, data = _found(number), _read(MaintenanceSpanIn, request)
        maintenance.move(order=row, **data, by=request.user, now=timezone.now())
        return Response(_body(number))


class MaintenanceCancelView(ApiView):
    required_permission = "mes.plan_maintenance"

    @extend_schema(request=MaintenanceReasonIn, responses=MaintenanceOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        row, data = _found(number), _read(MaintenanceReasonIn, request)
        maintenance.cancel(order=row, **data, by=request.user, now=timezone.now())
        return Response(_body(number))


class MaintenanceStartView(ApiView):
    required_permission = "mes.do_maintenance"

    @extend_schema(request=None, responses=MaintenanceOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        maintenance.start(order=_found(number), by=request.user, now=timezone.now())
        return Response(_body(number))


class MaintenancePartView(ApiView):
    required_permission = "mes.do_maintenance"

    @extend_schema(request=MaintenancePartIn, responses=MaintenanceOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        row, part = _found(number), _part(_read(MaintenancePartIn, request))
        maintenance.add_part(order=row, part=part, by=request.user, now=timezone.now())
        return Response(_body(number))


class MaintenanceIssueView(ApiView):
    """Issue so much of a part that was asked for."""

    required_permission = "mes.do_maintenance"

    @extend_schema(request=MaintenancePartIn, responses=MaintenanceOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        row, part = _found(number), _part(_read(MaintenancePartIn, request))
        lines = [line for line in selectors.maintenance_parts(row) if line.open > 0]
        found = [line.part for line in lines if line.part.requirement.item_id == part.item_id]
        if not found:
            raise serializers.ValidationError({"item": [_("This part is not asked for.")]})
        maintenance.issue_part(
            part=found[0], quantity=part.quantity, by=request.user, now=timezone.now()
        )
        return Response(_body(number))


class MaintenanceTimeView(ApiView):
    required_permission = "mes.do_maintenance"

    @extend_schema(request=MaintenanceTimeIn, responses=MaintenanceOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        row, data = _found(number), _read(MaintenanceTimeIn, request)
        person = _person(data["person"], "person") if "person" in data else request.user
        maintenance.book_time(
            order=row,
            person=person,
            minutes=data["minutes"],
            by=request.user,
            now=timezone.now(),
        )
        return Response(_body(number))


class MaintenanceCompleteView(ApiView):
    required_permission = "mes.do_maintenance"

    @extend_schema(request=MaintenanceResultIn, responses=MaintenanceOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        row, data = _found(number), _read(MaintenanceResultIn, request)
        maintenance.complete(order=row, **data, by=request.user, now=timezone.now())
        return Response(_body(number))


ACTS: dict[str, type[ApiView]] = {
    "assign": MaintenanceAssignView,
    "move": MaintenanceMoveView,
    "cancel": MaintenanceCancelView,
    "start": MaintenanceStartView,
    "parts": MaintenancePartView,
    "issue": MaintenanceIssueView,
    "time": MaintenanceTimeView,
    "complete": MaintenanceCompleteView,
}


def _read(kind: type[StrictSerializer], request: ApiRequest) -> dict[str, Any]:
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _found(number: str) -> MaintenanceOrder:
    row = selectors.maintenance_order(number)
    if row is None:
        raise Http404
    return row


def _body(number: str) -> Any:
    return MaintenanceOut(_found(number)).data


def _person(username: str, field: str) -> User:
    found: User | None = people().filter(username=username).first()
    if found is None:
        raise serializers.ValidationError({field: [_("There is no such person.")]})
    return found


def _part(data: dict[str, Any]) -> maintenance.NewPart:
    item = masterdata.item_by_code(data["item"])
    if item is None:
        raise serializers.ValidationError({"item": [_("There is no such item.")]})
    return maintenance.NewPart(item.pk, data["quantity"])
