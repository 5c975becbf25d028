"""The store under /api/v1/."""

from django.urls import path

from erp.api import views

urlpatterns = [
    path("stock/items/<str:code>/", views.StockView.as_view(), name="api-stock"),
    path("stock/receipts/", views.ReceiptView.as_view(), name="api-stock-receipt"),
    path("stock/moves/", views.MoveView.as_view(), name="api-stock-move"),
    path("stock/counts/", views.CountView.as_view(), name="api-stock-count"),
    path("stock/holds/", views.HoldView.as_view(), name="api-stock-hold"),
    path("stock/holds/<int:pk>/release/", views.ReleaseView.as_view(), name="api-stock-release"),
]
