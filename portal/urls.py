"""The customer's pages."""

from django.urls import path

from portal import views
from portal.views import tickets

app_name = "portal"
urlpatterns = [
    path("", views.order_list, name="order-list"),
    path("notices/", views.notice_list, name="notice-list"),
    path("orders/<str:number>/", views.order_detail, name="order-detail"),
    path("tickets/", tickets.ticket_list, name="tickets"),
    path("tickets/new/", tickets.ticket_create, name="ticket-create"),
    path("tickets/<str:number>/", tickets.ticket_detail, name="ticket"),
    path("tickets/<str:number>/answer/", tickets.ticket_answer, name="ticket-answer"),
    path("tickets/<str:number>/photos/<int:pk>/", tickets.ticket_photo, name="ticket-photo"),
    path(
        "tickets/<str:number>/reports/<str:report>.pdf",
        tickets.ticket_report,
        name="ticket-report",
    ),
]
