from django.urls import URLPattern, URLResolver, path

from masterdata.views import imports, lists, records, revisions, search

app_name = "masterdata"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", lists.home, name="home"),
    path("items/", lists.ItemList.as_view(), name="item-list"),
    path("items/new/", records.item_create, name="item-create"),
    path("items/search/", search.item_search, name="item-search"),
    path("items/<path:code>/edit/", records.item_edit, name="item-edit"),
    path("items/<path:code>/bom/", revisions.bom_edit, name="bom-edit"),
    path("items/<path:code>/routing/", revisions.routing_edit, name="routing-edit"),
    path("items/<path:code>/", records.item_detail, name="item-detail"),
    path("work-units/", lists.WorkUnitList.as_view(), name="work-unit-list"),
    path("work-units/new/", records.work_unit_create, name="work-unit-create"),
    path("work-units/<path:code>/", records.work_unit_edit, name="work-unit-edit"),
    path("customers/", lists.CustomerList.as_view(), name="customer-list"),
    path("customers/new/", records.customer_create, name="customer-create"),
    path("customers/search/", search.customer_search, name="customer-search"),
    path("customers/<path:code>/", records.customer_edit, name="customer-edit"),
    path("suppliers/", lists.SupplierList.as_view(), name="supplier-list"),
    path("import/", imports.import_start, name="import-start"),
    path("import/<int:pk>/", imports.import_check, name="import-check"),
    path("export/<slug:name>/<slug:suffix>/", imports.export, name="export"),
]
