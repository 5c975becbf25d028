"""Schedules under /api/v1/."""

from django.urls import path

from aps.api import views

urlpatterns = [
    path("schedules/current/", views.CurrentScheduleView.as_view(), name="api-schedule-current"),
]
