"""Pages that belong to no single app."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from common.views import accounts, audit, health, home, notifications

app_name = "common"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("language/", accounts.language_set, name="language-set"),
    path("notifications/", notifications.notification_list, name="notification-list"),
    path("notifications/read/", notifications.notification_read_all, name="notification-read-all"),
    path("notifications/<int:pk>/read/", notifications.notification_read, name="notification-read"),
    path("audit/", audit.audit_list, name="audit-list"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]
# Written by colleagues while this file was; both are listed once they are there.
for _module, _prefix in (("common.urls_jobs", "jobs/"), ("common.urls_ui", "ui/")):
    if find_spec(_module):
        urlpatterns.append(path(_prefix, include(_module)))
