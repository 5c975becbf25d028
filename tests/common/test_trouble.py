"""A lock held too long and a database that went away: calm answers, nothing typed is lost."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, InternalError, OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from common import trouble
from common.access import public, requires
from common.api import ApiView
from common.enums import Role
from config.urls import ACCOUNTS

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]

BUSY = "Somebody else is changing this right now. Send it again."
LOST = "The database does not answer right now. Try again in a moment."
FORM = {"note": "for Anna <b>\r\nsecond line", "line": ["1", "2"], "idempotency_key": "k"}


def _sql(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def _raise(state: str) -> None:
    _sql(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$")


ENDS: dict[str, Callable[[], None]] = {
    "locked": lambda: _raise("55P03"),
    "deadlock": lambda: _raise("40P01"),
    "cut": lambda: _sql("SELECT pg_terminate_backend(pg_backend_pid())"),
    "full": lambda: _raise("53300"),
    "defect": lambda: _sql("SELECT 1 FROM nowhere"),
}


@requires("common.use_account")
def page(request: HttpRequest, how: str) -> HttpResponse:
    ENDS[how]()
    raise AssertionError


@public
def stale(request: HttpRequest) -> HttpResponse:
    return HttpResponse("shown")


class Api(ApiView):
    required_permission = "common.use_account"

    def post(self, request: Any, how: str) -> Any:
        ENDS[how]()
        raise AssertionError


urlpatterns = [
    path("page/<str:how>/", page),
    path("stale/", stale),
    path("api/<str:how>/", Api.as_view()),
    path("", include(([path("", stale, name="home")], "common"))),
    path("accounts/", include(ACCOUNTS)),
]
handler500 = "common.views.errors.server_error"


@pytest.fixture(autouse=True)
def _reconnect() -> Iterator[None]:
    yield
    connection.close()


@pytest.mark.parametrize(
    ("how", "status", "sentence"),
    [("locked", 409, BUSY), ("deadlock", 409, BUSY), ("cut", 503, LOST), ("full", 503, LOST)],
)
def test_a_page_says_what_is_the_matter_and_keeps_what_was_typed(
    client_for, how: str, status: int, sentence: str
) -> None:
    answer = client_for(Role.SALES).post(f"/page/{how}/?a=1", FORM)
    html = answer.content.decode()
    assert (answer.status_code, answer.get("Retry-After")) == (
        status,
        "5" if status == 503 else None,
    )
    assert sentence in html
    assert f'action="/page/{how}/?a=1"' in html
    found = re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', html)
    typed = [pair for pair in found if pair[0] in FORM]
    assert typed == [
        ("note", "for Anna &lt;b&gt;\r\nsecond line"),
        *(("line", "1"), ("line", "2"), ("idempotency_key", "k")),
    ]
    assert "csrfmiddlewaretoken" in dict(found)


def test_the_kept_form_passes_the_check_for_forgery(user_for) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(user_for(Role.SALES), backend="django.contrib.auth.backends.ModelBackend")
    token = "a" * 32
    client.cookies["csrftoken"] = token
    first = client.post("/page/cut/", {**FORM, "csrfmiddlewaretoken": token})
    assert first.status_code == 503
    [new] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', first.content.decode())
    assert client.post("/page/cut/", {**FORM, "csrfmiddlewaretoken": new}).status_code == 503
    # The control.
    assert client.post("/page/cut/", {**FORM, "csrfmiddlewaretoken": "c" * 32}).status_code == 403


@pytest.mark.parametrize("how", ["locked", "cut"])
def test_a_page_that_was_only_read_offers_itself_again(client_for, how: str) -> None:
    html = client_for(Role.SALES).get(f"/page/{how}/?a=1").content.decode()
    assert f'href="/page/{how}/?a=1"' in html
    assert "Send it again</button>" not in html


@pytest.mark.parametrize(("how", "status"), [("locked", 409), ("cut", 503)])
def test_secrets_are_not_written_into_the_page(client_for, how: str, status: int) -> None:
    answer = client_for(Role.SALES).post(f"/page/{how}/", {**FORM, "password1": "hunter2-hunter2"})
    assert answer.status_code == status
    assert "hunter2" not in answer.content.decode()


@pytest.mark.parametrize(("how", "status"), [("locked", 409), ("cut", 503)])
def test_htmx_gets_a_toast_and_leaves_the_page_alone(client_for, how: str, status: int) -> None:
    answer = client_for(Role.SALES).post(f"/page/{how}/", FORM, headers={"HX-Request": "true"})
    assert answer.status_code == status
    toast = json.loads(answer["HX-Trigger"])["toast"]
    assert toast == {"text": BUSY if how == "locked" else LOST, "tone": "error"}
    assert "HX-Redirect" not in answer


@pytest.mark.parametrize(("how", "status"), [("locked", 409), ("cut", 503)])
def test_a_script_that_asks_for_json_gets_json(client_for, how: str, status: int) -> None:
    answer = client_for(Role.SALES).get(f"/page/{how}/", headers={"Accept": "application/json"})
    assert (answer.status_code, set(answer.json())) == (status, {"detail"})


@pytest.mark.parametrize(("how", "status"), [("locked", 409), ("cut", 503)])
def test_a_program_gets_json(api_client_for, how: str, status: int) -> None:
    answer = api_client_for(Role.SALES).post(f"/api/{how}/", {}, format="json")
    assert (answer.status_code, set(answer.json())) == (status, {"detail"})
    assert answer.get("Retry-After") == ("5" if status == 503 else None)


@pytest.mark.parametrize("url", ["/stale/", "/api/cut/"])
def test_a_database_lost_before_the_view_is_reached_is_no_defect_either(
    client_for, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    client = client_for(Role.SALES)
    client.raise_request_exception = False

    def lost(self: SessionStore) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(SessionStore, "_get_session_from_db", lost)
    answer = client.get(url)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert LOST in answer.content.decode()


def test_the_next_request_after_a_cut_is_served(client_for) -> None:
    client = client_for(Role.SALES)
    assert client.post("/page/cut/", FORM).status_code == 503
    assert client.get("/stale/").status_code == 200


def test_the_control_a_defect_stays_a_server_error(client_for) -> None:
    client = client_for(Role.SALES)
    client.raise_request_exception = False
    assert client.get("/page/defect/").status_code == 500


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (OperationalError("gone"), trouble.LOST),
        (InterfaceError("gone"), trouble.LOST),
        (InternalError("odd"), None),
        (ValueError("odd"), None),
        (None, None),
    ],
)
def test_what_counts_as_lost(error: BaseException | None, found: trouble.Trouble | None) -> None:
    assert trouble.of(error) is found
