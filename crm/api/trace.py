"""The genealogy under /api/v1/trace/epcis/ as EPCIS 2.0 (JSON-LD): told by number, and read."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from common.api import ApiRequest, ApiView
from masterdata import selectors as masterdata
from traceability import selectors as traceability
from traceability.services import epcis

NUMBER = OpenApiParameter(
    "number", str, required=True, description="Serial or lot number, typed or scanned."
)


class EpcisReadOut(serializers.Serializer[Any]):
    """How many events were written, were here before, and say nothing that the ledger keeps."""

    written = serializers.IntegerField()
    known = serializers.IntegerField()
    passed_over = serializers.IntegerField()


class EpcisView(ApiView):
    """The lives of what carries a number, to their raw lots; and events of others, once each.

    A document is read as a whole or refused with the place of the first event that cannot be.
    """

    required_permission = {"GET": "crm.view_trace", "POST": "crm.import_trace"}

    @extend_schema(parameters=[NUMBER], responses=OpenApiTypes.OBJECT)
    def get(self, request: ApiRequest) -> Response:
        numbers = traceability.numbers_in(request.query_params.get("number", ""))
        found = traceability.things_named(numbers) if numbers else []
        if not found:
            raise Http404(_("Nothing here carries this number."))
        now = timezone.now()
        return Response(epcis.document([thing.pk for thing in found], now=now))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=EpcisReadOut)
    def post(self, request: ApiRequest) -> Response:
        site_id = masterdata.default_site().pk
        try:
            done = epcis.read(request.data, site_id=site_id, by=request.user)
        except epcis.CannotRead as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from error
        return Response(EpcisReadOut(done).data)
