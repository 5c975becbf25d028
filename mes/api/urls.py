"""Work orders under /api/v1/."""

from django.urls import path

from mes.api import machine, maintenance, nonconformances, operations, views

_OPERATION = "work-orders/<str:number>/operations/<int:sequence>"

urlpatterns = [
    path("machine-events/", machine.MachineEventsView.as_view(), name="api-machine-events"),
    path(
        "nonconformances/",
        nonconformances.NonconformanceListView.as_view(),
        name="api-nonconformances",
    ),
    path(
        "nonconformances/<str:number>/",
        nonconformances.NonconformanceView.as_view(),
        name="api-nonconformance",
    ),
    path("maintenance/", maintenance.MaintenanceListView.as_view(), name="api-maintenance-list"),
    path(
        "maintenance/<str:number>/",
        maintenance.MaintenanceView.as_view(),
        name="api-maintenance",
    ),
    *(
        path(f"maintenance/<str:number>/{act}/", view.as_view(), name=f"api-maintenance-{act}")
        for act, view in maintenance.ACTS.items()
    ),
    path("work-orders/<str:number>/", views.WorkOrderView.as_view(), name="api-work-order"),
    *(
        path(f"{_OPERATION}/{verb}/", view.as_view(), name=f"api-operation-{verb}")
        for verb, view in {
            "start": operations.OperationStartView,
            "run": operations.OperationRunView,
            "report": operations.OperationReportView,
            "undo": operations.OperationUndoView,
            "interrupt": operations.OperationInterruptView,
            "resume": operations.OperationResumeView,
            "finish": operations.OperationFinishView,
            "check": operations.OperationCheckView,
            "join": operations.OperationJoinView,
            "leave": operations.OperationLeaveView,
        }.items()
    ),
]
