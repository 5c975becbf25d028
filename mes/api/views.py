"""Work orders and the floor over HTTP; the same services as the terminal."""

from decimal import Decimal
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from common.api import ApiRequest, ApiView, StrictSerializer
from masterdata import selectors as masterdata
from mes import selectors
from mes.enums import OperationState, WorkOrderState
from mes.models import WorkOrder, WorkOrderOperation
from mes.services import execution


class OperationOut(serializers.Serializer[Any]):
    sequence = serializers.IntegerField()
    name = serializers.CharField(source="label")
    work_center = serializers.CharField(source="work_center.code")
    state = serializers.ChoiceField(choices=OperationState.choices)
    good = serializers.DecimalField(max_digits=14, decimal_places=4)
    scrap = serializers.DecimalField(max_digits=14, decimal_places=4)
    planned_work_unit = serializers.CharField(
        source="planned_work_unit.code", allow_null=True, default=None
    )
    planned_starts_at = serializers.DateTimeField(allow_null=True)
    planned_ends_at = serializers.DateTimeField(allow_null=True)
    work_unit = serializers.CharField(source="work_unit.code", allow_null=True, default=None)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    setup_family = serializers.CharField()
    skill = serializers.CharField(source="skill.code", allow_null=True, default=None)
    people = serializers.IntegerField()
    tool = serializers.CharField(source="tool.code", allow_null=True, default=None)
    # Before the next operation: clock minutes at least and at most, pieces that let it begin.
    wait_minutes = serializers.IntegerField()
    max_wait_minutes = serializers.IntegerField(allow_null=True)
    transfer_quantity = serializers.DecimalField(max_digits=14, decimal_places=4, allow_null=True)


class MaterialOut(serializers.Serializer[Any]):
    item = serializers.CharField(source="item.code")
    quantity = serializers.DecimalField(
        source="requirement.quantity", max_digits=14, decimal_places=4
    )
    issued = serializers.DecimalField(source="requirement.issued", max_digits=14, decimal_places=4)


class PegOut(serializers.Serializer[Any]):
    reference = serializers.CharField(source="requirement.reference")
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4)


class WorkOrderOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    item = serializers.CharField(source="item.code")
    state = serializers.ChoiceField(choices=WorkOrderState.choices)
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4)
    good = serializers.DecimalField(max_digits=14, decimal_places=4)
    scrapped = serializers.DecimalField(max_digits=14, decimal_places=4)
    due_at = serializers.DateTimeField()
    operations = OperationOut(source="operations.all", many=True)
    materials = MaterialOut(source="materials.all", many=True)
    serves = PegOut(source="pegs.all", many=True)


class StartIn(StrictSerializer):
    """Where it runs; without, the planned work unit."""

    work_unit = serializers.CharField(required=False, max_length=40)


class ReportIn(StrictSerializer):
    good = serializers.DecimalField(
        max_digits=14, decimal_places=4, min_value=0, default=Decimal(0)
    )
    scrap = serializers.DecimalField(
        max_digits=14, decimal_places=4, min_value=0, default=Decimal(0)
    )
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)


def _body(number: str) -> Any:
    return WorkOrderOut(selectors.work_order_detail(number)).data


def _operation(number: str, sequence: int) -> WorkOrderOperation:
    return get_object_or_404(
        WorkOrderOperation.objects.select_related("work_order", "planned_work_unit"),
        work_order__number=number,
        sequence=sequence,
    )


class WorkOrderView(ApiView):
    required_permission = "mes.view_work_order"

    @extend_schema(responses=WorkOrderOut)
    def get(self, request: ApiRequest, number: str) -> Response:
        get_object_or_404(WorkOrder, number=number)
        return Response(_body(number))


class OperationStartView(ApiView):
    required_permission = "mes.execute_operation"

    @extend_schema(request=StartIn, responses=WorkOrderOut)
    def post(self, request: ApiRequest, number: str, sequence: int) -> Response:
        body = StartIn(data=request.data)
        body.is_valid(raise_exception=True)
        operation = _operation(number, sequence)
        code = body.validated_data.get("work_unit")
        unit = masterdata.work_unit_by_code(code) if code else operation.planned_work_unit
        if unit is None:
            raise serializers.ValidationError(
                {"work_unit": [_("Name a work unit; none is planned for this operation.")]}
            )
        execution.start(
            operation=operation, work_unit_id=unit.pk, by=request.user, now=timezone.now()
        )
        return Response(_body(number))


class OperationReportView(ApiView):
    required_permission = "mes.execute_operation"

    @extend_schema(request=ReportIn, responses=WorkOrderOut)
    def post(self, request: ApiRequest, number: str, sequence: int) -> Response:
        body = ReportIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        execution.report(
            operation=_operation(number, sequence),
            good=Decimal(data["good"]),
            scrap=Decimal(data["scrap"]),
            reason=data.get("reason", ""),
            by=request.user,
            now=timezone.now(),
        )
        return Response(_body(number))


class OperationFinishView(ApiView):
    required_permission = "mes.execute_operation"

    @extend_schema(request=None, responses=WorkOrderOut)
    def post(self, request: ApiRequest, number: str, sequence: int) -> Response:
        execution.finish(
            operation=_operation(number, sequence), by=request.user, now=timezone.now()
        )
        return Response(_body(number))
