"""Scenarios and a planner's draft over HTTP; the same services as the pages."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from aps.api import serializers
from aps.api.place import SITE, site_asked
from aps.enums import RunKind, RunState
from aps.models import ScheduleRun
from aps.services import edits, scenarios
from aps.services.edits import Edited, StaleDraft
from aps.services.scenarios import StaleBase
from common.api import ApiRequest, ApiView, ListApiView
from masterdata import selectors as masterdata
from masterdata.services import calendars


def _scenarios(site_id: int) -> QuerySet[ScheduleRun]:
    return (
        ScheduleRun.objects.filter(site=site_id)
        .exclude(kind=RunKind.LIVE)
        .select_related("requested_by")
        .order_by("-requested_at", "-pk")
    )


def _find(pk: int) -> ScheduleRun:
    return get_object_or_404(ScheduleRun.objects.exclude(kind=RunKind.LIVE), pk=pk)


def _body(run: ScheduleRun) -> dict[str, Any]:
    return dict(serializers.ScenarioDetailOut(run).data)


def _stale(error: StaleBase | StaleDraft) -> Response:
    """Refused, and what changed since; the scenario stays marked as stale."""
    since = error.since
    return Response(
        {
            "detail": str(error),
            "versions": [
                {"version": one.version, "by": one.by, "cause": one.cause} for one in since.versions
            ],
            "operations": list(since.operations),
            "work_orders": list(since.work_orders),
        },
        status=status.HTTP_409_CONFLICT,
    )


@extend_schema_view(get=extend_schema(parameters=[SITE]))
class ScenarioListView(ListApiView):
    """Scenarios, newest first; ``?status=`` and ``?kind=`` narrow. POST makes and solves one."""

    required_permission = {"GET": "aps.view_schedule", "POST": "aps.plan"}
    serializer_class = serializers.ScenarioOut

    def get_queryset(self) -> QuerySet[ScheduleRun]:
        found = _scenarios(site_asked(self.request))
        for field, known in (("state", RunState.values), ("kind", RunKind.values)):
            wanted = self.request.query_params.get("status" if field == "state" else field)
            if wanted in known:
                found = found.filter(**{field: wanted})
        return found

    @extend_schema(
        parameters=[SITE],
        request=serializers.ScenarioIn,
        responses={201: serializers.ScenarioDetailOut},
    )
    def post(self, request: ApiRequest) -> Response:
        body = serializers.ScenarioIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        run = scenarios.create(
            site_id=site_asked(request),
            kind=RunKind(data.get("kind", RunKind.WHAT_IF)),
            name=data.get("name", ""),
            changes=data["changes"],
            by=request.user,
            now=timezone.now(),
        )
        return Response(_body(run), status=status.HTTP_201_CREATED)


class ScenarioView(ApiView):
    required_permission = "aps.view_schedule"

    @extend_schema(responses=serializers.ScenarioDetailOut)
    def get(self, request: ApiRequest, pk: int) -> Response:
        return Response(_body(_find(pk)))


class ScenarioPublishView(ApiView):
    """Make it the live plan; 409 says what changed since where its base is out of date."""

    required_permission = "aps.plan"

    @extend_schema(request=None, responses=serializers.ScenarioDetailOut)
    def post(self, request: ApiRequest, pk: int) -> Response:
        try:
            run = scenarios.publish(run=_find(pk), by=request.user, now=timezone.now())
        except StaleBase as error:
            return _stale(error)
        return Response(_body(run))


class ScenarioRebaseView(ApiView):
    """Put it on the plan in force and solve it anew."""

    required_permission = "aps.plan"

    @extend_schema(request=None, responses=serializers.ScenarioDetailOut)
    def post(self, request: ApiRequest, pk: int) -> Response:
        run = scenarios.rebase(run=_find(pk), by=request.user, now=timezone.now())
        return Response(_body(run))


class ScenarioRejectView(ApiView):
    required_permission = "aps.plan"

    @extend_schema(request=serializers.ScenarioReasonIn, responses=serializers.ScenarioDetailOut)
    def post(self, request: ApiRequest, pk: int) -> Response:
        body = serializers.ScenarioReasonIn(data=request.data or {})
        body.is_valid(raise_exception=True)
        run = scenarios.reject(
            run=_find(pk),
            by=request.user,
            now=timezone.now(),
            reason=body.validated_data.get("reason", ""),
        )
        return Response(_body(run))


class EditView(ApiView):
    """The caller's draft: GET shows it, POST takes one step."""

    required_permission = {"GET": "aps.view_schedule", "POST": "aps.plan"}

    @extend_schema(parameters=[SITE], responses=serializers.ScenarioDetailOut)
    def get(self, request: ApiRequest) -> Response:
        run = edits.draft(site_id=site_asked(request), by=request.user)
        if run is None:
            raise NotFound
        return Response(_body(run))

    @extend_schema(parameters=[SITE], request=serializers.EditIn, responses=serializers.EditOut)
    def post(self, request: ApiRequest) -> Response:
        body = serializers.EditIn(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            return Response(_step(request, body.validated_data))
        except (StaleBase, StaleDraft) as error:
            return _stale(error)


def _step(request: ApiRequest, data: dict[str, Any]) -> dict[str, Any]:
    """One step of the caller's draft, and what it did."""
    action = data.get("action", "apply")
    site_id, now = site_asked(request), timezone.now()
    if action == "apply":
        return _edited(
            edits.apply(
                site_id=site_id,
                change=data["change"],
                by=request.user,
                now=now,
                base_version=data.get("base_version"),
            )
        )
    if action in ("publish", "discard"):
        end = edits.publish if action == "publish" else edits.discard
        run = end(site_id=site_id, by=request.user, now=now)
        return _edited(Edited(run, (), (), (), run.comparison))
    again = {"undo": edits.undo, "redo": edits.redo, "rebase": edits.rebase}[action]
    return _edited(again(site_id=site_id, by=request.user, now=now))


def _edited(edited: Edited) -> dict[str, Any]:
    units = {unit.id: unit.code for unit in masterdata.active_units()}
    placements = [
        {
            "operation": placed.operation,
            "work_unit": units.get(placed.resource, ""),
            "starts_at": calendars.to_datetime(placed.start),
            "ends_at": calendars.to_datetime(placed.end),
        }
        for placed in edited.placements
    ]
    return dict(
        serializers.EditOut(
            {
                "scenario": edited.run,
                "violations": edited.violations,
                "placements": placements,
                "removed": edited.removed,
                "can_undo": edited.can_undo,
                "can_redo": edited.can_redo,
                "comparison": edited.comparison,
            }
        ).data
    )
