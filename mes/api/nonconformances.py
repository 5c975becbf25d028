"""Nonconformances over HTTP: reported by other systems, read with their 8D."""

from decimal import Decimal
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from common.api import ApiRequest, ApiView, ListApiView, StrictSerializer
from masterdata import selectors as masterdata
from mes import selectors
from mes.enums import (
    ActionKind,
    ActionState,
    ContainmentState,
    DispositionKind,
    DispositionState,
    NonconformanceSource,
    NonconformanceState,
)
from mes.models import Nonconformance
from mes.services import nonconformances
from traceability import selectors as traceability
from traceability.selectors import LONGEST_CODE

QUANTITY: dict[str, Any] = {"max_digits": 14, "decimal_places": 4}


class ContainmentOut(serializers.Serializer[Any]):
    place = serializers.CharField()
    suspect = serializers.DecimalField(**QUANTITY)
    found = serializers.DecimalField(**QUANTITY)
    cleared = serializers.DecimalField(**QUANTITY)
    shipped = serializers.DecimalField(**QUANTITY)
    missing = serializers.DecimalField(**QUANTITY)
    state = serializers.ChoiceField(choices=ContainmentState.choices)


class DispositionOut(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=DispositionKind.choices)
    quantity = serializers.DecimalField(**QUANTITY)
    lot = serializers.CharField(source="lot.number", allow_null=True, default=None)
    reason = serializers.CharField()
    state = serializers.ChoiceField(choices=DispositionState.choices)


class QualityActionOut(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=ActionKind.choices)
    title = serializers.CharField()
    owner = serializers.CharField(source="owner.username")
    due_on = serializers.DateField()
    changed = serializers.CharField()
    state = serializers.ChoiceField(choices=ActionState.choices)


class DisciplineOut(serializers.Serializer[Any]):
    discipline = serializers.IntegerField()
    due_on = serializers.DateField()
    done_at = serializers.DateTimeField(allow_null=True)


class NonconformanceRow(serializers.Serializer[Any]):
    number = serializers.CharField()
    item = serializers.CharField(source="item.code")
    noticed_by = serializers.ChoiceField(source="source", choices=NonconformanceSource.choices)
    references = serializers.ListField(child=serializers.CharField())
    problem = serializers.CharField()
    symptom = serializers.CharField()
    quantity = serializers.DecimalField(**QUANTITY)
    state = serializers.ChoiceField(choices=NonconformanceState.choices)
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class NonconformanceOut(NonconformanceRow):
    containment = ContainmentOut(source="containment.all", many=True)
    dispositions = DispositionOut(source="dispositions.all", many=True)
    actions = QualityActionOut(source="actions.all", many=True)
    # Empty where it has no 8D.
    steps = serializers.SerializerMethodField()

    @extend_schema(responses=DisciplineOut(many=True))
    def get_steps(self, row: Nonconformance) -> Any:
        rows = row.eight_d.steps.all() if hasattr(row, "eight_d") else []
        return DisciplineOut(rows, many=True).data


class NonconformanceIn(StrictSerializer):
    """``things`` are numbers of the item's lots and units; what is here of them is held."""

    item = serializers.CharField(max_length=60)
    problem = serializers.CharField(max_length=300)
    # The site's code; without it the only site, or the one that makes the item.
    site = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    noticed_by = serializers.ChoiceField(
        choices=NonconformanceSource.choices, default=NonconformanceSource.FLOOR
    )
    reference = serializers.CharField(max_length=60, required=False, allow_blank=True)
    symptom = serializers.CharField(max_length=40, required=False, allow_blank=True)
    quantity = serializers.DecimalField(**QUANTITY, min_value=0, default=Decimal(0))
    things = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_CODE), required=False, max_length=10_000
    )


class NonconformanceListView(ListApiView):
    """The newest first; ``?state=`` (``all_open`` for all that are not closed), ``?q=``."""

    required_permission = {"GET": "mes.view_quality", "POST": "mes.report_nonconformance"}
    serializer_class = NonconformanceRow

    def get_queryset(self) -> Any:
        given = self.request.query_params
        return selectors.nonconformances(text=given.get("q", ""), state=given.get("state", ""))

    @extend_schema(request=NonconformanceIn, responses=NonconformanceOut)
    def post(self, request: ApiRequest) -> Response:
        body = NonconformanceIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        item = masterdata.item_by_code(data["item"])
        if item is None:
            raise serializers.ValidationError({"item": [_("There is no such item.")]})
        now = timezone.now()
        try:
            site = masterdata.site_meant(data["site"], item_ids=[item.pk], on=now.date())
        except masterdata.CannotTellSite as refused:
            raise serializers.ValidationError({"site": [str(refused)]}) from refused
        made = nonconformances.open_from(
            source=NonconformanceSource(data["noticed_by"]),
            reference=data.get("reference", ""),
            item_id=item.pk,
            site_id=site.pk,
            problem=data["problem"],
            quantity=data["quantity"],
            things=_things(item.pk, data.get("things", [])),
            symptom=data.get("symptom", ""),
            by=request.user,
            now=now,
        )
        return Response(_body(made.number), status=201)


class NonconformanceView(ApiView):
    required_permission = "mes.view_quality"

    @extend_schema(responses=NonconformanceOut)
    def get(self, request: ApiRequest, number: str) -> Response:
        get_object_or_404(Nonconformance, number=number)
        return Response(_body(number))


def _body(number: str) -> Any:
    return NonconformanceOut(selectors.nonconformance(number)).data


def _things(item_id: int, numbers: list[str]) -> list[int]:
    known = traceability.things_numbered(item_id=item_id, numbers=numbers)
    found = {number: known.get(traceability.normalised(number)) for number in numbers}
    unknown = [number for number, thing in found.items() if thing is None]
    if unknown:
        raise serializers.ValidationError(
            {"things": [_("Unknown: %(numbers)s.") % {"numbers": ", ".join(unknown[:5])}]}
        )
    return [thing for thing in found.values() if thing is not None]
