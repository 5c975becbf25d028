"""Work orders under /api/v1/."""

from django.urls import path

from mes.api import machine, views

urlpatterns = [
    path("machine-events/", machine.MachineEventsView.as_view(), name="api-machine-events"),
    path("work-orders/<str:number>/", views.WorkOrderView.as_view(), name="api-work-order"),
    path(
        "work-orders/<str:number>/operations/<int:sequence>/start/",
        views.OperationStartView.as_view(),
        name="api-operation-start",
    ),
    path(
        "work-orders/<str:number>/operations/<int:sequence>/report/",
        views.OperationReportView.as_view(),
        name="api-operation-report",
    ),
    path(
        "work-orders/<str:number>/operations/<int:sequence>/finish/",
        views.OperationFinishView.as_view(),
        name="api-operation-finish",
    ),
]
