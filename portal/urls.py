"""The customer's pages."""

from django.urls import path

from portal import views

app_name = "portal"
urlpatterns = [
    path("", views.order_list, name="order-list"),
    path("orders/<str:number>/", views.order_detail, name="order-detail"),
]
