"""The board of alarms and its buttons, under /andon/."""

from django.urls import path

from mes.views import andon, andon_settings

app_name = "andon"
urlpatterns = [
    path("", andon.board, name="board"),
    path("buttons/", andon.buttons, name="buttons"),
    path("raise/", andon.call_raise, name="call-raise"),
    path("calls/<int:pk>/acknowledge/", andon.call_acknowledge, name="call-acknowledge"),
    path("calls/<int:pk>/resolve/", andon.call_resolve, name="call-resolve"),
    path("down/", andon.down, name="down"),
    path("rules/", andon_settings.rule_list, name="rule-list"),
    path("rules/<str:kind>/", andon_settings.rule_edit, name="rule-edit"),
    path("incidents/<str:number>/estimate/", andon.incident_estimate, name="incident-estimate"),
    path("incidents/<str:number>/recover/", andon.incident_recover, name="incident-recover"),
]
