"""Pages that belong to no single app."""

from django.urls import URLPattern, URLResolver, include, path

from common.views import accounts, audit, health, home, live, notifications

app_name = "common"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("language/", accounts.language_set, name="language-set"),
    path("notifications/", notifications.notification_list, name="notification-list"),
    path("notifications/read/", notifications.notification_read_all, name="notification-read-all"),
    path("notifications/<int:pk>/read/", notifications.notification_read, name="notification-read"),
    path("audit/", audit.audit_list, name="audit-list"),
    path("jobs/", include("common.urls_jobs")),
    path("ui/", include("common.urls_ui")),
    path("events/", live.events, name="events"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]
