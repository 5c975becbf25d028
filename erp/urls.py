"""Pages of stock and shortages."""

from django.urls import URLPattern, URLResolver, path

from erp.views import shortages, stock

app_name = "erp"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", stock.stock_list, name="stock-list"),
    path("receive/", stock.stock_receive, name="stock-receive"),
    path("shortages/", shortages.shortage_list, name="shortage-list"),
    path("items/<path:code>/adjust/", stock.stock_adjust, name="stock-adjust"),
    path("items/<path:code>/", stock.stock_detail, name="stock-detail"),
]
