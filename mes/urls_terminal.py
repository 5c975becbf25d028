"""The terminal at the machine, and the pages where supervisors prepare it; under /floor/."""

from django.urls import path

from mes.views import andon_settings, checks, floor_settings, offline, paper, terminal

urlpatterns = [
    path("terminal/", terminal.home, name="terminal"),
    path("terminal/sign-in/", terminal.sign_in, name="terminal-sign-in"),
    path("terminal/lock/", terminal.lock, name="terminal-lock"),
    path("terminal/home/", terminal.go_home, name="terminal-go-home"),
    path("terminal/scan/", terminal.scan, name="terminal-scan"),
    path("terminal/worker.js", offline.worker, name="terminal-worker"),
    path("terminal/away/", offline.away, name="terminal-away"),
    path("checks/<int:pk>/decide/", checks.check_decide, name="check-decide"),
    path("work-orders/<str:number>/traveller.pdf", paper.traveller, name="traveller"),
    path("work-orders/<str:number>/label.pdf", paper.label, name="work-order-label"),
    path("labels.pdf", paper.identity_labels, name="labels"),
    path("terminal/camera/", terminal.camera, name="terminal-camera"),
    path("terminals/", floor_settings.terminal_list, name="terminal-list"),
    path("terminals/register/", floor_settings.terminal_register, name="terminal-register"),
    path("terminals/<int:pk>/revoke/", floor_settings.terminal_revoke, name="terminal-revoke"),
    path("sources/<int:pk>/free/", floor_settings.source_free, name="source-free"),
    path("badges/", floor_settings.badge_list, name="badge-list"),
    path("badges/<int:pk>/", floor_settings.badge_edit, name="badge-edit"),
    path("reasons/downtime/", andon_settings.downtime_reasons, name="downtime-reasons"),
    path("reasons/", floor_settings.reason_list, name="reason-list"),
]
