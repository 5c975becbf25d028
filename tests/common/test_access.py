"""Deny by default, and who is let in."""

import pytest
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from django.views import View
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from common import access
from common.access import public, requires
from common.api import ApiView
from common.enums import Role
from common.errors import Refused, told
from config.urls import ACCOUNTS

pytestmark = pytest.mark.urls(__name__)


def undeclared(request: HttpRequest) -> HttpResponse:
    return HttpResponse("secret")


class UndeclaredView(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("secret")


class UndeclaredApi(ApiView):
    def get(self, request):
        raise AssertionError


class OpenApi(APIView):
    required_permission = "crm.view_order"
    permission_classes = [AllowAny]


@requires("crm.approve_order")
def approve(request: HttpRequest, name: str = "") -> HttpResponse:
    return HttpResponse("approved")


@requires({"GET": "crm.view_order", "POST": "crm.edit_order"})
class Edit(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("seen")

    def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("edited")

    def delete(self, request: HttpRequest) -> HttpResponse:
        raise AssertionError("no right is named for DELETE")


@public
def anybody(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


@requires("crm.view_order")
def refuses(request: HttpRequest) -> HttpResponse:
    raise Refused("The order has no lines.")


@requires("common.use_account")
def shows_messages(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        with told(request):
            raise Refused("Not on a Sunday.")
    from django.contrib.messages import get_messages

    return HttpResponse("|".join(str(message) for message in get_messages(request)))


urlpatterns = [
    path("undeclared/", undeclared),
    path("undeclared-view/", UndeclaredView.as_view()),
    path("undeclared-api/", UndeclaredApi.as_view()),
    path("open-api/", OpenApi.as_view()),
    path("approve/", approve),
    path("approve/<str:name>/", approve),
    path("edit/", Edit.as_view()),
    path("anybody/", anybody),
    path("refuses/", refuses),
    path("messages/", shows_messages),
    path("", include(([path("", anybody, name="home")], "common"))),
    path("accounts/", include(ACCOUNTS)),
]


@pytest.mark.parametrize("url", ["/undeclared/", "/undeclared-view/"])
def test_a_view_without_a_declaration_is_refused_by_name(client_for, url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="Undeclared|undeclared"):
        client_for(Role.ADMINISTRATOR).get(url)


def test_an_api_view_without_a_declaration_is_refused(client_for) -> None:
    with pytest.raises(ImproperlyConfigured, match="UndeclaredApi"):
        client_for(Role.ADMINISTRATOR).get("/undeclared-api/")


def test_an_api_view_that_drops_the_permission_class_is_refused(client_for) -> None:
    with pytest.raises(ImproperlyConfigured, match="OpenApi"):
        client_for(Role.ADMINISTRATOR).get("/open-api/")


def test_a_code_that_is_not_in_the_table_fails_when_the_module_loads() -> None:
    with pytest.raises(KeyError):
        requires("crm.aprove_order")


@pytest.mark.parametrize("role", Role)
def test_only_the_roles_of_the_table_are_let_in(client_for, role: Role) -> None:
    expected = 200 if role in {Role.SALES, Role.MANAGER, Role.ADMINISTRATOR} else 403
    assert client_for(role).get("/approve/").status_code == expected


def test_each_method_has_its_own_right(client_for) -> None:
    planner, sales = client_for(Role.PLANNER), client_for(Role.SALES)
    assert planner.get("/edit/").content == b"seen"
    assert planner.head("/edit/").status_code == 200
    assert planner.post("/edit/").status_code == 403
    assert sales.post("/edit/").content == b"edited"


def test_a_method_without_a_right_is_not_answered(client_for) -> None:
    assert client_for(Role.ADMINISTRATOR).delete("/edit/").status_code == 405


def test_the_anonymous_are_sent_to_the_login_and_back(client_for) -> None:
    answer = client_for().get("/approve/?a=1")
    assert (answer.status_code, answer["Location"]) == (
        302,
        "/accounts/login/?next=/approve/%3Fa%3D1",
    )


def test_a_fragment_sends_the_whole_page_to_the_login(client_for) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/orders/7/"}
    answer = client_for().get("/approve/", headers=headers)
    assert answer["HX-Redirect"] == "/accounts/login/?next=/orders/7/"
    assert answer.content == b""


def test_public_views_are_open(client_for) -> None:
    assert client_for().get("/anybody/").content == b"hello"


def test_a_deactivated_user_is_logged_out(client_for, user_for) -> None:
    client = client_for(Role.SALES)
    user = user_for(Role.SALES)
    user.is_active = False
    user.save()
    assert client.get("/approve/").status_code == 302


def test_check_raises_for_who_may_not(user_for) -> None:
    access.check(user_for(Role.SALES), "crm.approve_order")
    with pytest.raises(PermissionDenied):
        access.check(user_for(Role.OPERATOR), "crm.approve_order")


def test_nothing_is_named_with_a_nul(client_for) -> None:
    assert client_for(Role.SALES).get("/approve/a%00b/").status_code == 404


def test_a_refusal_that_no_view_caught_is_a_message_where_one_came_from(client_for) -> None:
    client = client_for(Role.SALES)
    answer = client.post("/refuses/", headers={"Referer": "http://testserver/messages/"})
    assert (answer.status_code, answer["Location"]) == (302, "http://testserver/messages/")
    assert client.get("/messages/").content == b"The order has no lines."


def test_a_refusal_never_leads_to_another_site(client_for) -> None:
    answer = client_for(Role.SALES).post("/refuses/", headers={"Referer": "http://evil.example/"})
    assert answer["Location"] == "/"


def test_a_refused_page_does_not_lead_to_itself(client_for) -> None:
    headers = {"Referer": "http://testserver/refuses/"}
    assert client_for(Role.SALES).get("/refuses/", headers=headers)["Location"] == "/"


def test_a_refused_fragment_reloads_the_page_with_the_message(client_for) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/messages/"}
    client = client_for(Role.SALES)
    answer = client.post("/refuses/", headers=headers)
    assert answer["HX-Redirect"] == "http://testserver/messages/"
    assert client.get("/messages/").content == b"The order has no lines."


def test_told_keeps_the_refusal_as_a_message(client_for) -> None:
    assert client_for(Role.SALES).post("/messages/").content == b"Not on a Sunday."


def test_who_may_open_is_asked_without_opening(client_for, user_for) -> None:
    assert access.may_open(user_for(Role.SALES), approve)
    assert not access.may_open(user_for(Role.OPERATOR), approve)
    assert not access.may_open(user_for(Role.PLANNER), Edit.as_view(), method="POST")
    assert access.may_open(user_for(Role.CUSTOMER), anybody)


def test_the_login_form_is_protected_against_forgery(db) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/accounts/login/", {"login": "a", "password": "b"}).status_code == 403


def test_nothing_with_a_nul_is_typed(client_for) -> None:
    client = client_for(Role.SALES)
    assert client.post("/approve/", {"reason": "a\x00b"}).status_code == 400
    assert client.post("/approve/", {"reason": "ab"}).status_code == 200
