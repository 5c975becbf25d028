"""Every URL prefix and the room behind it."""

from importlib.util import find_spec

from allauth.account import views as account
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from common.access import Requirement
from common.api_access import HasRequiredPermission


class SchemaView(SpectacularAPIView):
    """The OpenAPI 3 document, for staff and for customers' programs."""

    required_permission: Requirement = "common.view_schema"
    permission_classes = [HasRequiredPermission]


# allauth's pages for people with an account. Signing up, e-mail addresses and password resets
# by mail are left out: administrators make accounts and set passwords.
ACCOUNTS = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    # allauth leads there who has none, such as a user an administrator made without.
    path("password/set/", account.password_set, name="account_set_password"),
    path("2fa/", include("allauth.mfa.urls")),
]

API_ROOMS = ["masterdata", "erp", "mes", "aps", "crm", "portal"]


def _api() -> list[URLPattern | URLResolver]:
    with_api = [room for room in API_ROOMS if find_spec(f"{room}.api")]
    return [path("", include(f"{room}.api.urls")) for room in with_api]


urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("common.urls")),
    path("accounts/", include(ACCOUNTS)),
    path("admin/", admin.site.urls),
    path("api/v1/schema/", SchemaView.as_view(), name="api-schema"),
    path("api/v1/", include(_api())),
    path("", include("crm.urls")),
    path("plan/", include("aps.urls")),
    path("", include("mes.urls")),
    path("andon/", include("mes.urls_andon")),
    path("machines/", include("mes.urls_machines")),
    path("incidents/", include("crm.urls_incidents")),
    path("stock/", include("erp.urls")),
    path("master/", include("masterdata.urls")),
    path("portal/", include("portal.urls")),
]

handler400 = "common.views.errors.bad_request"
handler404 = "common.views.errors.not_found"
handler500 = "common.views.errors.server_error"
