"""Schedules under /api/v1/."""

from django.urls import path

from aps.api import scenarios, views

urlpatterns = [
    path("schedules/current/", views.CurrentScheduleView.as_view(), name="api-schedule-current"),
    path("schedules/edits/", scenarios.EditView.as_view(), name="api-schedule-edits"),
    path("scenarios/", scenarios.ScenarioListView.as_view(), name="api-scenario-list"),
    path("scenarios/<int:pk>/", scenarios.ScenarioView.as_view(), name="api-scenario"),
    path(
        "scenarios/<int:pk>/publish/",
        scenarios.ScenarioPublishView.as_view(),
        name="api-scenario-publish",
    ),
    path(
        "scenarios/<int:pk>/rebase/",
        scenarios.ScenarioRebaseView.as_view(),
        name="api-scenario-rebase",
    ),
    path(
        "scenarios/<int:pk>/reject/",
        scenarios.ScenarioRejectView.as_view(),
        name="api-scenario-reject",
    ),
]
