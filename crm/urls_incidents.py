"""Incidents with all that they led to, under /incidents/."""

from django.urls import path

from crm.views import incidents

app_name = "incidents"
urlpatterns = [
    path("", incidents.incident_list, name="incident-list"),
    path("<str:number>/", incidents.incident_detail, name="incident-detail"),
]
