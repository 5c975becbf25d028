"""Operations over HTTP: what the terminal sends, and other programs.

Each POST may carry an ``Idempotency-Key`` (``common.api``): a report that was queued while the
network was away is sent again until it is answered, and counts once.
"""

from datetime import datetime
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
from mes import device_clock, selectors
from mes.api.views import WorkOrderOut
from mes.enums import ReasonKind
from mes.models import FloorReason, OperationReport, WorkOrderCheck, WorkOrderOperation
from mes.services import checks, execution, people, undoing
from traceability.selectors import LONGEST_CODE

QUANTITY: dict[str, Any] = {"max_digits": 14, "decimal_places": 4, "min_value": 0}


class StartIn(StrictSerializer):
    """Where it runs; without, the planned work unit. With ``setup`` it is set up first.

    ``overrule``: a supervisor's reason to let it start after its longest wait.
    """

    work_unit = serializers.CharField(required=False, max_length=40)
    setup = serializers.BooleanField(default=False)
    overrule = serializers.CharField(required=False, max_length=200)


class ReportIn(StrictSerializer):
    """``rework`` sets pieces aside; ``from_rework``: good and scrap are of those set aside."""

    good = serializers.DecimalField(**QUANTITY, default=Decimal(0))
    scrap = serializers.DecimalField(**QUANTITY, default=Decimal(0))
    rework = serializers.DecimalField(**QUANTITY, default=Decimal(0))
    from_rework = serializers.BooleanField(default=False)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)
    reason_code = serializers.CharField(max_length=30, required=False, allow_blank=True)
    # Of the good pieces of the last operation; without, they are given.
    serials = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_CODE), required=False, max_length=10_000
    )


class InterruptIn(StrictSerializer):
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)
    reason_code = serializers.CharField(max_length=30, required=False, allow_blank=True)


class ResumeIn(StrictSerializer):
    """Where it goes on; without, where it was."""

    work_unit = serializers.CharField(required=False, max_length=40)


class FinishIn(StrictSerializer):
    """``short_close`` with a reason counts what is missing as scrap."""

    short_close = serializers.BooleanField(default=False)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)


class UndoIn(StrictSerializer):
    """Without ``report`` the last one."""

    report = serializers.IntegerField(required=False)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)


class CheckIn(StrictSerializer):
    """The answer to one check: ``value``, or ``passed``; ``again`` measures a fault anew."""

    position = serializers.IntegerField(min_value=1)
    value = serializers.DecimalField(max_digits=14, decimal_places=5, required=False)
    passed = serializers.BooleanField(required=False, allow_null=True, default=None)
    again = serializers.BooleanField(default=False)


class OperationView(ApiView):
    """An act at one operation; answers with the work order as it is then."""

    required_permission = "mes.execute_operation"

    def operation(self, number: str, sequence: int) -> WorkOrderOperation:
        return get_object_or_404(
            WorkOrderOperation.objects.select_related("work_order__item", "planned_work_unit"),
            work_order__number=number,
            sequence=sequence,
        )

    def moment(self, request: ApiRequest) -> datetime:
        """When it happened: a device that was without network says how long ago."""
        return device_clock.happened_at(request.headers, now=timezone.now())

    def answer(self, number: str) -> Response:
        return Response(WorkOrderOut(selectors.work_order_answer(number)).data)

    def data(self, kind: type[StrictSerializer], request: ApiRequest) -> dict[str, Any]:
        body = kind(data=request.data)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def reason(self, code: str, *kinds: ReasonKind) -> FloorReason | None:
        if not code:
            return None
        found = FloorReason.objects.filter(code=code, kind__in=kinds, is_active=True).first()
        if found is None:
            raise serializers.ValidationError({"reason_code": [_("There is no such reason.")]})
        return found


class OperationStartView(OperationView):
    @extend_schema(request=StartIn, responses=WorkOrderOut)
    def post(self, request: ApiRequest, number: str, sequence: int) -> Response:
        data = self.data(StartIn, request)
        operation = self.operation(number, sequence)
        code = data.get("work_unit")
        unit = masterdata.work_unit_by_code(code) if code else operation.planned_work_unit
        if unit is None:
            raise serializers.ValidationError(
                {"work_unit": [_("Name a work unit; none is planned for this operation.")]}
            )
        execution.start(
            operation=operation,
            work_unit_id=unit.pk,
            by=request.user,
            now=self.moment(request),
            in_setup=data["setup"],
            overrule=data.get("overrule"),
        )
        return self.answer(number)


class OperationRunView(OperationView):
    @extend_schema(request=None, responses=WorkOrderOut)
    def post(self, request: ApiRequest, number: str, sequence: int) -> Response:
        execution.run(
            operation=self.operation(number, sequence), by=request.user, now=self.moment(request)
        )
        return self.answer(number)


class OperationReportView(OperationView):
    @extend_schema(request=ReportIn, responses=WorkOrderOut)
    def post(self, request: ApiRequest, number: str, sequence: int) -> Response:
        data = self.data(ReportIn, request)
        kind = ReasonKind.REWORK if data["rework"] else ReasonKind.SCRAP
        execution.report(
            operation=self.operation(number, sequence),
            good=Decimal(data["good"]),
            scrap=Decimal(data["scrap"]),
            rework=Decimal(data["rework"]),
            from_rework=data["from_rework"],
            reason=data.get("reason", ""),
            reason_code=self.reason(data.get("reason_code", ""), kind),
            serials=data.get("serials", ()),
            by=request.user,
            now=self.moment(request),
        )
        return self.answer(number)


class OperationUndoView(OperationView):
    @extend_schema(request=UndoIn, responses=WorkOrderOut)
    def post(self, request: ApiRequest, number: str, sequence: int) -> Response:
        data = self.data(UndoIn, request)
        operation = self.operation(number, sequence)
        rows = OperationReport.objects.filter(operation=operation, reverses__isnull=True)
        if "report" in data:
            report = get_object_or_404(rows, pk=data["report"])
        else:
            report = get_object_or_404(rows.filter(reversed_by__isnull=True).order_by("-pk")[:1])
        undoing.undo(
            report=report,
            by=request.user,
            now=undoing.believed(self.moment(request), now=timezone.now()),
            reason=data.get("reason", ""),
        )
        return self.answer(number)


class OperationInterruptView(OperationView):
    @extend_schema(request=InterruptIn, responses=WorkOrderOut)
    def post(self, request: ApiRequest, number: str, sequence: int) -> Response:
        data = self.data(InterruptIn, request)
        execution.interrupt(
            operation=self.operation(number, sequence),
            reason=data.get("reason", ""),
            reason_code=self.reason(data.get("reason_code", ""), ReasonKind.PAUSE),
            by=request.user,
            now=self.moment(request),
        )
        return self.answer(number)


class OperationResumeView(OperationView):
    @extend_schema(request=ResumeIn, responses=WorkOrderOut)
    def post(self, request: ApiRequest, number: str, sequence: int) -> Response:
        code = self.data(ResumeIn, request).get("work_unit")
        unit = masterdata.work_unit_by_code(code) if code else None
        if code and unit is None:
            raise serializers.ValidationError({"work_unit": [_("There is no such work unit.")]})
        execution.resume(
            operation=self.operation(number, sequence),
            work_unit_id=unit.pk if unit else None,
            by=request.user,
            now=self.moment(request),
        )
        return self.answer(number)


class OperationFinishView(OperationView):
    @extend_schema(request=FinishIn, responses=WorkOrderOut)
    def post(self, request: ApiRequest, number: str, sequence: int) -> Response:
        data = self.data(FinishIn, request)
        execution.finish(
            operation=self.operation(number, sequence),
            short_close=data["short_close"],
            reason=data.get("reason", ""),
            by=request.user,
            now=self.moment(request),
        )
        return self.answer(number)


class OperationCheckView(OperationView):
    """Answer a check of the operation, named by its position; with a value or ``passed``.

    A value outside the limits is kept as a fault (200, ``faults`` of the check counts it) and
    keeps the operation from being finished, if the check is required. ``again`` replaces the
    oldest fault; or a supervisor or quality accepts or rejects it on the page of the work order.
    409 where the operation is not at work or the answer is not of the check's kind.
    """

    @extend_schema(request=CheckIn, responses=WorkOrderOut)
    def post(self, request: ApiRequest, number: str, sequence: int) -> Response:
        data = self.data(CheckIn, request)
        operation = self.operation(number, sequence)
        check = get_object_or_404(WorkOrderCheck, operation=operation, position=data["position"])
        checks.record(
            check=check,
            value=data.get("value"),
            is_good=data["passed"],
            replaces=selectors.open_fault(check) if data["again"] else None,
            by=request.user,
            now=self.moment(request),
        )
        return self.answer(number)


class OperationJoinView(OperationView):
    @extend_schema(request=None, responses=WorkOrderOut)
    def post(self, request: ApiRequest, number: str, sequence: int) -> Response:
        people.join(
            operation=self.operation(number, sequence), by=request.user, now=self.moment(request)
        )
        return self.answer(number)


class OperationLeaveView(OperationView):
    @extend_schema(request=None, responses=WorkOrderOut)
    def post(self, request: ApiRequest, number: str, sequence: int) -> Response:
        people.leave(
            operation=self.operation(number, sequence), by=request.user, now=self.moment(request)
        )
        return self.answer(number)
