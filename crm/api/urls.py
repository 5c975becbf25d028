"""Orders under /api/v1/."""

from django.urls import path

from crm.api import costs, rush, tickets, trace, views

urlpatterns = [
    path("promise-checks/", views.PromiseCheckView.as_view(), name="api-promise-check"),
    path("sales-orders/", views.OrderListView.as_view(), name="api-order-list"),
    path("sales-orders/<str:number>/", views.OrderDetailView.as_view(), name="api-order"),
    path(
        "sales-orders/<str:number>/costs/",
        costs.OrderCostView.as_view(),
        name="api-order-costs",
    ),
    path(
        "sales-orders/<str:number>/submit/",
        views.OrderSubmitView.as_view(),
        name="api-order-submit",
    ),
    path(
        "sales-orders/<str:number>/approve/",
        views.OrderApproveView.as_view(),
        name="api-order-approve",
    ),
    path(
        "sales-orders/<str:number>/reject/",
        views.OrderRejectView.as_view(),
        name="api-order-reject",
    ),
    path(
        "sales-orders/<str:number>/cancel/",
        views.OrderCancelView.as_view(),
        name="api-order-cancel",
    ),
    path("rush-requests/", rush.RushListView.as_view(), name="api-rush-list"),
    path("rush-requests/<str:number>/", rush.RushView.as_view(), name="api-rush"),
    path(
        "rush-requests/<str:number>/submit/",
        rush.RushSubmitView.as_view(),
        name="api-rush-submit",
    ),
    path(
        "rush-requests/<str:number>/approve/",
        rush.RushApproveView.as_view(),
        name="api-rush-approve",
    ),
    path(
        "rush-requests/<str:number>/reject/",
        rush.RushRejectView.as_view(),
        name="api-rush-reject",
    ),
    path(
        "rush-requests/<str:number>/cancel/",
        rush.RushCancelView.as_view(),
        name="api-rush-cancel",
    ),
    path("tickets/", tickets.TicketListView.as_view(), name="api-ticket-list"),
    path("tickets/<str:number>/", tickets.TicketView.as_view(), name="api-ticket"),
    path(
        "tickets/<str:number>/messages/",
        tickets.TicketMessageView.as_view(),
        name="api-ticket-messages",
    ),
    path(
        "tickets/<str:number>/reports/",
        tickets.TicketReportView.as_view(),
        name="api-ticket-reports",
    ),
    *(
        path(
            f"tickets/<str:number>/{step}/",
            tickets.TicketMoveView.as_view(),
            {"step": step},
            name=f"api-ticket-{step}",
        )
        for step in ("wait", "resolve", "close", "reopen")
    ),
    path("shipments/", views.ShipmentListView.as_view(), name="api-shipment-list"),
    path(
        "shipments/<str:number>/deliver/",
        views.ShipmentDeliverView.as_view(),
        name="api-shipment-deliver",
    ),
    path("trace/epcis/", trace.EpcisView.as_view(), name="api-epcis"),
]
