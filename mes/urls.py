"""Pages of the floor."""

from django.urls import URLPattern, URLResolver, include, path

from mes.views import checks, costs, dispatch, paper, shortages, work_orders

app_name = "mes"
_FLOOR: list[URLPattern | URLResolver] = [
    path("", dispatch.dispatch_list, name="dispatch-list"),
    path("operations/<int:pk>/start/", dispatch.operation_start, name="operation-start"),
    path("operations/<int:pk>/report/", dispatch.operation_report, name="operation-report"),
    path(
        "operations/<int:pk>/finish-short/",
        dispatch.operation_finish_short,
        name="operation-finish-short",
    ),
    path(
        "operations/<int:pk>/interrupt/", dispatch.operation_interrupt, name="operation-interrupt"
    ),
    path("operations/<int:pk>/resume/", dispatch.operation_resume, name="operation-resume"),
    path("operations/<int:pk>/check/", checks.operation_check, name="operation-check"),
    path("shortages/", shortages.shortage_list, name="shortage-list"),
    path("served/", shortages.served, name="served"),
    path("", include("mes.urls_terminal")),
    path("work-orders/", work_orders.work_order_list, name="work-order-list"),
    path("work-orders/costs/", costs.cost_list, name="cost-list"),
    path("work-orders/<str:number>/costs/", costs.cost_detail, name="cost-detail"),
    path("work-orders/<str:number>/close/", work_orders.work_order_close, name="work-order-close"),
    path("work-orders/<str:number>/", work_orders.work_order_detail, name="work-order-detail"),
    path("maintenance/", include("mes.urls_maintenance")),
    path("reports/<int:pk>/undo/", work_orders.report_undo, name="report-undo"),
    path(
        "work-orders/<str:number>/release/",
        work_orders.work_order_release,
        name="work-order-release",
    ),
    path("work-orders/<str:number>/hold/", work_orders.work_order_hold, name="work-order-hold"),
    path(
        "work-orders/<str:number>/resume/",
        work_orders.work_order_resume,
        name="work-order-resume",
    ),
]
urlpatterns = [
    path("id/<int:identifier>/<path:number>", paper.label_open, name="label-open"),
    path("floor/", include(_FLOOR)),
    path("quality/", include("mes.urls_quality")),
]
