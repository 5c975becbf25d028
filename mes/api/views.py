"""Work orders and the floor over HTTP; the same services as the terminal."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from common.api import ApiRequest, ApiView
from masterdata.enums import CheckFrequency, CheckKind
from mes import selectors
from mes.enums import OperationState, WorkOrderState
from mes.models import WorkOrder, WorkOrderOperation

LIMIT: dict[str, Any] = {"max_digits": 14, "decimal_places": 5, "allow_null": True}


class CheckOut(serializers.Serializer[Any]):
    """A check of an operation and where it stands.

    ``needed`` answers are due by the good pieces so far, ``satisfied`` are good or accepted,
    ``faults`` wait to be measured again or decided. While ``is_open`` the operation cannot be
    finished.
    """

    position = serializers.IntegerField(source="check.position")
    name = serializers.CharField(source="check.label")
    kind = serializers.ChoiceField(choices=CheckKind.choices, source="check.kind")
    code = serializers.CharField(source="check.code")
    unit = serializers.CharField(source="check.unit")
    lower = serializers.DecimalField(**LIMIT, source="check.lower")
    target = serializers.DecimalField(**LIMIT, source="check.target")
    upper = serializers.DecimalField(**LIMIT, source="check.upper")
    is_required = serializers.BooleanField(source="check.is_required")
    frequency = serializers.ChoiceField(choices=CheckFrequency.choices, source="check.frequency")
    every = serializers.IntegerField(source="check.every", allow_null=True)
    needed = serializers.IntegerField()
    satisfied = serializers.IntegerField()
    faults = serializers.SerializerMethodField()
    is_open = serializers.BooleanField()
    reason = serializers.CharField(source="check.reason")

    def get_faults(self, standing: selectors.CheckStanding) -> int:
        return len(standing.open_faults)


class OperationOut(serializers.Serializer[Any]):
    sequence = serializers.IntegerField()
    name = serializers.CharField(source="label")
    work_center = serializers.CharField(source="work_center.code")
    state = serializers.ChoiceField(choices=OperationState.choices)
    good = serializers.DecimalField(max_digits=14, decimal_places=4)
    scrap = serializers.DecimalField(max_digits=14, decimal_places=4)
    # Set aside, still to become good or scrap.
    rework = serializers.DecimalField(max_digits=14, decimal_places=4)
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
    checks = serializers.SerializerMethodField()
    # Before the next operation: clock minutes at least and at most, pieces that let it begin.
    wait_minutes = serializers.IntegerField()
    max_wait_minutes = serializers.IntegerField(allow_null=True)
    transfer_quantity = serializers.DecimalField(max_digits=14, decimal_places=4, allow_null=True)

    @extend_schema_field(CheckOut(many=True))
    def get_checks(self, operation: WorkOrderOperation) -> Any:
        return CheckOut(selectors.fetched_standings(operation), many=True).data


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


def _body(number: str) -> Any:
    return WorkOrderOut(selectors.work_order_answer(number)).data


class WorkOrderView(ApiView):
    required_permission = "mes.view_work_order"

    @extend_schema(responses=WorkOrderOut)
    def get(self, request: ApiRequest, number: str) -> Response:
        get_object_or_404(WorkOrder, number=number)
        return Response(_body(number))
