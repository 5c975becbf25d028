"""Pages of quality, under /quality/."""

from django.urls import path

from mes.views import checks, fmea, nonconformances, quality_acts, supplier_requests

_ONE = "nonconformances/<str:number>"

urlpatterns = [
    path("checks/", checks.undecided, name="check-faults"),
    path("nonconformances/", nonconformances.nonconformance_list, name="nonconformances"),
    path("nonconformances/new/", nonconformances.nonconformance_new, name="nonconformance-new"),
    path(f"{_ONE}/", nonconformances.nonconformance_detail, name="nonconformance"),
    path(f"{_ONE}/do/<slug:act>/", quality_acts.do, name="nonconformance-do"),
    path(f"{_ONE}/verify/<slug:act>/", quality_acts.verify, name="nonconformance-verify"),
    path(f"{_ONE}/concession/", quality_acts.decide_concession, name="concession-decide"),
    path(f"{_ONE}/finish/", quality_acts.finish_action, name="quality-action-finish"),
    path("requests/<str:number>.pdf", supplier_requests.document, name="supplier-request"),
    path("requests/<str:number>/answer/", supplier_requests.answer, name="supplier-answer"),
    path("requests/<str:number>/accept/", supplier_requests.accept, name="supplier-accept"),
    path("requests/<str:number>/mail/", supplier_requests.mail, name="supplier-mail"),
    path("fmea/", fmea.fmea_list, name="fmea"),
    path("fmea/<int:pk>/rate/", fmea.fmea_rate, name="fmea-rate"),
]
