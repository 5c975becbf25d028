"""Pages of maintenance orders, under /floor/maintenance/."""

from django.urls import path

from mes.views import maintenance

urlpatterns = [
    path("", maintenance.maintenance_list, name="maintenance-list"),
    path("new/", maintenance.maintenance_new, name="maintenance-new"),
    path("<str:number>/", maintenance.maintenance_detail, name="maintenance"),
    path("<str:number>/plan/<slug:act>/", maintenance.plan, name="maintenance-plan"),
    path("<str:number>/do/<slug:act>/", maintenance.do, name="maintenance-do"),
]
