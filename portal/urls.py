"""The customer's pages."""

from django.urls import path

from portal import views

app_name = "portal"
urlpatterns = [
    path("", views.order_list, name="order-list"),
    path("notices/", views.notice_list, name="notice-list"),
    path("orders/<str:number>/", views.order_detail, name="order-detail"),
]
