"""Pages of orders and of after-sales."""

from django.urls import include, path

from crm import urls_tickets
from crm.views import actions, costs, delays, entry, orders, rush, shipments

app_name = "crm"
ORDERS = [
    path("", orders.order_list, name="order-list"),
    path("new/", entry.order_create, name="order-create"),
    path("check/", entry.order_check, name="order-check"),
    path("lookup/<slug:kind>/", entry.lookup, name="lookup"),
    path("bulk/", actions.bulk_approve, name="bulk-approve"),
    path("bulk/<int:pk>/", actions.bulk_detail, name="bulk-detail"),
    path("shipments/", shipments.shipment_list, name="shipment-list"),
    path("shipments/<str:number>/deliver/", actions.shipment_deliver, name="shipment-deliver"),
    path("delays/", delays.delay_list, name="delay-list"),
    path("delays/rules/", delays.rule_set, name="delay-rule-set"),
    path("delays/<int:pk>/send/", delays.delay_send, name="delay-send"),
    path("delays/<int:pk>/dismiss/", delays.delay_dismiss, name="delay-dismiss"),
    path("rush/", rush.rush_list, name="rush-list"),
    path("rush/<str:number>/", rush.rush_detail, name="rush-detail"),
    path("rush/<str:number>/submit/", rush.rush_submit, name="rush-submit"),
    path("rush/<str:number>/approve/", rush.rush_approve, name="rush-approve"),
    path("rush/<str:number>/reject/", rush.rush_reject, name="rush-reject"),
    path("rush/<str:number>/withdraw/", rush.rush_withdraw, name="rush-withdraw"),
    path("<str:number>/lines/<int:position>/rush/", rush.rush_create, name="rush-create"),
    path("<str:number>/", orders.order_detail, name="order-detail"),
    path("<str:number>/costs/", costs.order_costs, name="order-costs"),
    path("<str:number>/edit/", entry.order_edit, name="order-edit"),
    path("<str:number>/submit/", actions.order_submit, name="order-submit"),
    path("<str:number>/approve/", actions.order_approve, name="order-approve"),
    path("<str:number>/reject/", actions.order_reject, name="order-reject"),
    path("<str:number>/hold/", actions.order_hold, name="order-hold"),
    path("<str:number>/resume/", actions.order_resume, name="order-resume"),
    path("<str:number>/cancel/", actions.order_cancel, name="order-cancel"),
    path("<str:number>/retry/", actions.order_retry, name="order-retry"),
    path("<str:number>/quantity/", actions.order_change_quantity, name="order-change-quantity"),
    path("<str:number>/ship/", actions.order_ship, name="order-ship"),
]
urlpatterns = [
    path("orders/", include(ORDERS)),
    path("trace/", include("crm.urls_trace")),
    path("tickets/", include(urls_tickets.TICKETS)),
    path("returns/", include(urls_tickets.RETURNS)),
    path("reports/", include(urls_tickets.REPORTS)),
]
