"""Pages of stock, its places and shortages."""

from django.urls import URLPattern, URLResolver, path

from erp.views import bins, counting, identities, moving, receiving, shortages, stock

app_name = "erp"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", stock.stock_list, name="stock-list"),
    path("receive/", receiving.stock_receive, name="stock-receive"),
    path("find/", identities.stock_find, name="stock-find"),
    path("move/", moving.stock_move, name="stock-move"),
    path("picking/", moving.pick_list, name="pick-list"),
    path("picking/lines/<int:pk>/stage/", moving.pick_stage, name="pick-stage"),
    path("picking/lines/<int:pk>/undo/", moving.pick_undo, name="pick-undo"),
    path("picking/all/<path:reference>/", moving.pick_all, name="pick-all"),
    path("picking/<path:reference>/", moving.pick_detail, name="pick-detail"),
    path("bins/", bins.bin_list, name="bin-list"),
    path("bins/<int:pk>/", bins.bin_detail, name="bin-detail"),
    path("bins/<int:pk>/retire/", bins.bin_retire, name="bin-retire"),
    path("warehouses/add/", bins.warehouse_add, name="warehouse-add"),
    path("warehouses/<int:pk>/bins/add/", bins.bin_add, name="bin-add"),
    path("lots/<int:pk>/", identities.lot_detail, name="lot-detail"),
    path("lots/<int:pk>/hold/", identities.lot_hold, name="lot-hold"),
    path("units/<int:pk>/", identities.unit_detail, name="unit-detail"),
    path("units/<int:pk>/hold/", identities.unit_hold, name="unit-hold"),
    path("holds/", identities.hold_list, name="hold-list"),
    path("holds/<int:pk>/release/", identities.hold_release, name="hold-release"),
    path("counts/", counting.count_list, name="count-list"),
    path("counts/start/", counting.count_start, name="count-start"),
    path("counts/<str:number>/", counting.count_detail, name="count-detail"),
    path("counts/<str:number>/enter/", counting.count_enter, name="count-enter"),
    path("counts/<str:number>/empty/", counting.count_empty, name="count-empty"),
    path("counts/<str:number>/submit/", counting.count_submit, name="count-submit"),
    path("counts/<str:number>/approve/", counting.count_approve, name="count-approve"),
    path("counts/<str:number>/send-back/", counting.count_send_back, name="count-send-back"),
    path("counts/<str:number>/cancel/", counting.count_cancel, name="count-cancel"),
    path("shortages/", shortages.shortage_list, name="shortage-list"),
    path("items/<path:code>/adjust/", stock.stock_adjust, name="stock-adjust"),
    path("items/<path:code>/", stock.stock_detail, name="stock-detail"),
]
