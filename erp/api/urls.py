"""Purchasing and requirements planning under /api/v1/."""

from django.urls import path

from erp.api import views

urlpatterns = [
    path("purchase-orders/", views.PurchaseOrderList.as_view(), name="api-purchase-orders"),
    path(
        "purchase-orders/<str:number>/",
        views.PurchaseOrderView.as_view(),
        name="api-purchase-order",
    ),
    path(
        "purchase-orders/<str:number>/confirm/",
        views.ConfirmView.as_view(),
        name="api-purchase-order-confirm",
    ),
    path(
        "purchase-orders/<str:number>/lines/<int:position>/receive/",
        views.ReceiveView.as_view(),
        name="api-purchase-line-receive",
    ),
    path("proposals/", views.ProposalList.as_view(), name="api-proposals"),
    path("proposals/accept/", views.AcceptView.as_view(), name="api-proposals-accept"),
    path("mrp-runs/", views.RunRequestView.as_view(), name="api-mrp-runs"),
]
