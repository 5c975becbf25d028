"""The store, purchasing and requirements planning under /api/v1/."""

from django.urls import path

from erp.api import lots, purchasing, transfers, views

urlpatterns = [
    path("stock/items/<str:code>/", views.StockView.as_view(), name="api-stock"),
    path("stock/receipts/", views.ReceiptView.as_view(), name="api-stock-receipt"),
    path("stock/moves/", views.MoveView.as_view(), name="api-stock-move"),
    path("stock/lots/split/", lots.LotSplitView.as_view(), name="api-lot-split"),
    path("stock/lots/merge/", lots.LotMergeView.as_view(), name="api-lot-merge"),
    path("stock/transfers/", transfers.TransferList.as_view(), name="api-stock-transfers"),
    path(
        "stock/transfers/<str:number>/",
        transfers.TransferView.as_view(),
        name="api-stock-transfer",
    ),
    path(
        "stock/transfers/<str:number>/receive/",
        transfers.ArrivalView.as_view(),
        name="api-stock-transfer-receive",
    ),
    path(
        "stock/transfers/<str:number>/close/",
        transfers.CloseView.as_view(),
        name="api-stock-transfer-close",
    ),
    path("stock/counts/", views.CountView.as_view(), name="api-stock-count"),
    path("stock/holds/", views.HoldView.as_view(), name="api-stock-hold"),
    path("stock/holds/<int:pk>/release/", views.ReleaseView.as_view(), name="api-stock-release"),
    path("purchase-orders/", purchasing.PurchaseOrderList.as_view(), name="api-purchase-orders"),
    path(
        "purchase-orders/<str:number>/",
        purchasing.PurchaseOrderView.as_view(),
        name="api-purchase-order",
    ),
    path(
        "purchase-orders/<str:number>/submit/",
        purchasing.SubmitView.as_view(),
        name="api-purchase-order-submit",
    ),
    path(
        "purchase-orders/<str:number>/approve/",
        purchasing.ApproveView.as_view(),
        name="api-purchase-order-approve",
    ),
    path(
        "purchase-orders/<str:number>/confirm/",
        purchasing.ConfirmView.as_view(),
        name="api-purchase-order-confirm",
    ),
    path(
        "purchase-orders/<str:number>/lines/<int:position>/receive/",
        purchasing.ReceiveView.as_view(),
        name="api-purchase-line-receive",
    ),
    path(
        "purchase-orders/<str:number>/lines/<int:position>/return/",
        purchasing.ReturnView.as_view(),
        name="api-purchase-line-return",
    ),
    path("proposals/", purchasing.ProposalList.as_view(), name="api-proposals"),
    path("proposals/accept/", purchasing.AcceptView.as_view(), name="api-proposals-accept"),
    path("mrp-runs/", purchasing.RunRequestView.as_view(), name="api-mrp-runs"),
]
