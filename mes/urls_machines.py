"""Machines and what they achieve, under /machines/."""

from django.urls import path

from mes.views import machines

app_name = "machines"
urlpatterns = [
    path("", machines.oee, name="oee"),
]
