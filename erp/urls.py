"""Pages of stock, requirements planning and purchasing."""

from django.urls import URLPattern, URLResolver, path

from erp.views import planning, purchases, stock

app_name = "erp"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", stock.stock_list, name="stock-list"),
    path("receive/", stock.stock_receive, name="stock-receive"),
    path("planning/", planning.proposal_list, name="proposal-list"),
    path("planning/accept/", planning.proposal_accept, name="proposal-accept"),
    path("planning/proposals/<int:pk>/", planning.proposal_detail, name="proposal-detail"),
    path("planning/run/", planning.run_request, name="mrp-run-request"),
    path("planning/runs/", planning.run_list, name="mrp-run-list"),
    path("planning/runs/<int:pk>/", planning.run_detail, name="mrp-run-detail"),
    path("planning/rules/", planning.rules, name="supply-rules"),
    path("purchases/", purchases.purchase_list, name="purchase-list"),
    path("purchases/<str:number>/", purchases.purchase_detail, name="purchase-detail"),
    path("purchases/<str:number>/act/", purchases.purchase_act, name="purchase-act"),
    path("purchases/<str:number>/decide/", purchases.purchase_decide, name="purchase-decide"),
    path("purchases/<str:number>/confirm/", purchases.purchase_confirm, name="purchase-confirm"),
    path("purchases/<str:number>/pdf/", purchases.purchase_pdf, name="purchase-pdf"),
    path(
        "purchases/<str:number>/lines/<int:position>/",
        purchases.line_change,
        name="purchase-line-change",
    ),
    path(
        "purchases/<str:number>/lines/<int:position>/receive/",
        purchases.line_receive,
        name="purchase-line-receive",
    ),
    path(
        "purchases/<str:number>/lines/<int:position>/return/",
        purchases.line_return,
        name="purchase-line-return",
    ),
    path(
        "suppliers/<path:code>/performance/",
        planning.supplier_performance,
        name="supplier-performance",
    ),
    path("items/<path:code>/adjust/", stock.stock_adjust, name="stock-adjust"),
    path("items/<path:code>/", stock.stock_detail, name="stock-detail"),
]
