"""The customer's orders under /api/v1/portal/."""

from django.urls import path

from portal.api import tickets, views

urlpatterns = [
    path("portal/notices/", views.NoticeListView.as_view(), name="api-portal-notices"),
    path("portal/orders/", views.OrderListView.as_view(), name="api-portal-orders"),
    path("portal/orders/<str:number>/", views.OrderDetailView.as_view(), name="api-portal-order"),
    path("portal/tickets/", tickets.TicketListView.as_view(), name="api-portal-tickets"),
    path(
        "portal/tickets/<str:number>/",
        tickets.TicketDetailView.as_view(),
        name="api-portal-ticket",
    ),
    path(
        "portal/tickets/<str:number>/messages/",
        tickets.TicketAnswerView.as_view(),
        name="api-portal-ticket-messages",
    ),
]
