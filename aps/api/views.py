"""The live schedule over HTTP."""

from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from aps import selectors
from aps.api.place import SITE, site_asked
from common.api import ApiRequest, ApiView
from mes.enums import OperationState


class ScheduledOperationOut(serializers.Serializer[Any]):
    """Where and when an operation is planned; outside work has no work unit."""

    work_order = serializers.CharField(source="work_order_number")
    sequence = serializers.IntegerField()
    item = serializers.CharField(source="item_code")
    work_unit = serializers.CharField(source="work_unit_code", allow_null=True)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=OperationState.choices)


class ScheduleOut(serializers.Serializer[Any]):
    """A published version with all its operations, by start."""

    version = serializers.IntegerField()
    published_at = serializers.DateTimeField()
    cause = serializers.CharField()
    operations = ScheduledOperationOut(many=True)


class CurrentScheduleView(ApiView):
    """The schedule that is in force."""

    required_permission = "aps.view_schedule"

    @extend_schema(
        summary="The schedule in force",
        parameters=[SITE],
        responses={200: ScheduleOut, 404: OpenApiResponse(description="None is published yet.")},
    )
    def get(self, request: ApiRequest) -> Response:
        try:
            found = selectors.current_schedule(site_asked(request))
        except ObjectDoesNotExist:
            found = None
        if found is None:
            raise NotFound(_("No schedule is published yet; approve an order or plan by hand."))
        return Response(ScheduleOut(found).data)
