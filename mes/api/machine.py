"""Machine data under /api/v1/machine-events/."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from common.api import ApiRequest, ApiView, StrictSerializer
from masterdata import selectors as masterdata
from mes.enums import MachineEventKind, MachineStatus
from mes.services import machine_events, machine_parsing


class MachineEventIn(serializers.Serializer[Any]):
    """One event, for the schema; batches are read by ``mes.services.machine_parsing``."""

    id = serializers.CharField(max_length=machine_parsing.LONGEST_ID)
    unit = serializers.CharField(max_length=40)
    kind = serializers.ChoiceField(choices=MachineEventKind.choices)
    at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=MachineStatus.choices, required=False)
    good = serializers.FloatField(required=False)
    scrap = serializers.FloatField(required=False)
    name = serializers.CharField(max_length=machine_parsing.LONGEST_NAME, required=False)
    value = serializers.FloatField(required=False)


class MachineEventsIn(serializers.Serializer[Any]):
    # "source" is also an attribute of every field.
    source = serializers.CharField(max_length=80)  # type: ignore[assignment]
    events = MachineEventIn(many=True)


class RecordedOut(serializers.Serializer[Any]):
    stored = serializers.IntegerField()
    duplicates = serializers.IntegerField()


class _Batch(StrictSerializer):
    source = serializers.CharField(max_length=80)  # type: ignore[assignment] # as above
    events = serializers.JSONField()

    def validate_events(self, value: Any) -> list[Any]:
        if not isinstance(value, list) or not value:
            raise serializers.ValidationError(_("Send a list of events."))
        if len(value) > machine_parsing.MOST_EVENTS:
            raise serializers.ValidationError(
                _("Send at most %(most)s events at once.") % {"most": machine_parsing.MOST_EVENTS}
            )
        return value


class MachineEventsView(ApiView):
    """Up to 1,000 events at once; all of them or none, each once by source and id.

    A wrong row refuses the batch with 400 and ``{"events": {"3": ["why"]}}``: nothing is stored,
    so that nothing is lost, and the batch may be sent again without it.
    """

    required_permission = "mes.send_machine_events"

    @extend_schema(request=MachineEventsIn, responses=RecordedOut)
    def post(self, request: ApiRequest) -> Response:
        body = _Batch(data=request.data)
        body.is_valid(raise_exception=True)
        now = timezone.now()
        units = {unit.code: unit.id for unit in masterdata.active_units()}
        try:
            rows = machine_parsing.parse(body.validated_data["events"], units=units, now=now)
        except machine_parsing.Invalid as invalid:
            told = {str(place): [why] for place, why in invalid.errors.items()}
            raise serializers.ValidationError({"events": told}) from None
        found = machine_events.record(
            source=body.validated_data["source"], rows=rows, by=request.user, now=now
        )
        return Response({"stored": found.stored, "duplicates": found.duplicates})
