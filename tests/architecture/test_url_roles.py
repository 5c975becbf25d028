"""Every URL, every role: who is not let in by the table is not let in at all."""

import logging
from collections.abc import Iterator
from functools import cache

import pytest
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseNotFound
from django.test import Client
from django.test.client import ClientHandler
from django.urls import resolve, reverse

from common import access, permissions
from common.access import PUBLIC
from common.api import ApiView
from common.models import User
from config import urls
from tests.architecture.conftest import Principal
from tests.architecture.url_walk import Address, all_addresses

# A health page may say that something else is down.
MAY_BE_UNAVAILABLE = {"readyz"}


@cache
def _addresses() -> list[Address]:
    return all_addresses()


@pytest.fixture
def bare_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Thousands are refused here or find nothing: what such a page looks like is asked below.

    Nor is each of them logged; what breaks is.
    """

    def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
        return HttpResponseForbidden()

    def nothing_there(request: HttpRequest, exception: Exception) -> HttpResponse:
        return HttpResponseNotFound()

    monkeypatch.setattr(urls, "handler403", refused, raising=False)
    monkeypatch.setattr(urls, "handler404", nothing_there)
    log = logging.getLogger("django.request")
    level = log.level
    log.setLevel(logging.ERROR)
    yield
    log.setLevel(level)


@cache
def _handler() -> ClientHandler:
    """The middleware, built once for all who ask: it keeps nothing of them."""
    return ClientHandler(enforce_csrf_checks=False)


@pytest.mark.usefixtures("db")
def test_everybody_is_shown_that_nothing_is_there_or_that_they_are_refused(
    principals: dict[str, Principal],
) -> None:
    """With the pages that the walk below leaves out."""
    for name, principal in principals.items():
        answer = principal.client().get("/orders/no/such/page/")
        assert answer.status_code == 404, name
        assert "</html>" in answer.content.decode(), name
        if principal.user and not permissions.allowed(principal.user, "common.manage_jobs"):
            answer = principal.client().get(reverse("common:job-list"))
            assert answer.status_code == 403, name
            assert "</html>" in answer.content.decode(), name


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "address" in metafunc.fixturenames:
        metafunc.parametrize("address", _addresses(), ids=str)


def _requirement(address: Address) -> access.Requirement:
    return access.declared(address.view, resolve(address.path))


def test_every_view_declares_who_may_open_it(address: Address) -> None:
    requirement = _requirement(address)
    codes = [requirement] if isinstance(requirement, str) else list(requirement.values())
    assert codes
    assert [code for code in codes if code != PUBLIC and code not in permissions.PERMISSIONS] == []


def test_every_api_view_shares_the_base(address: Address) -> None:
    api = access.api_class(address.view)
    if not address.path.startswith("/api/"):
        assert api is None
    elif address.route != "api/v1/schema/":
        assert api is not None
        assert issubclass(api, ApiView)


@pytest.mark.usefixtures("db", "bare_answers")
def test_only_who_the_table_names_gets_in(
    principals: dict[str, Principal], address: Address
) -> None:
    wrong = {}
    clients = {
        name: principal.client(raise_request_exception=False)
        for name, principal in principals.items()
    }
    for client in clients.values():
        client.handler = _handler()
    for method in ("GET", "POST"):
        for name, principal in principals.items():
            expected = _expected(address, principal.user, method)
            found = _outcome(clients[name], address, method)
            if found not in expected:
                wrong[method, name] = f"{found}, expected {' or '.join(sorted(expected))}"
    assert wrong == {}


def _expected(address: Address, user: User | None, method: str) -> set[str]:
    requirement = _requirement(address)
    api = access.api_class(address.view)
    code = access.code_for(requirement, method)
    if code == PUBLIC:
        # The second step of a login sends back to the first who has not passed it.
        return {"in", "asked"} if user is None else {"in"}
    if user is None:
        return {"asked"}
    if code is None:
        return {"in"} if api and not hasattr(api, method.lower()) else {"not answered"}
    if not permissions.allowed(user, code):
        return {"out"}
    # Others' views refuse more by themselves: the admin to delete a user, allauth to ask for a
    # password that the user has none of.
    return {"in", "out"} if address.route.startswith(("admin/", "accounts/")) else {"in"}


def _outcome(client: Client, address: Address, method: str) -> str:
    """in, out, asked (to log in), not answered, or a server error's number."""
    answer = client.generic(method, address.path, "{}", content_type="application/json")
    login = answer.headers.get("Location", "").startswith("/accounts/login/")
    if answer.status_code == 401 or (login and "_auth_user_id" not in client.session):
        return "asked"
    if answer.status_code == 405 and not access.api_class(address.view):
        declared = access.code_for(_requirement(address), method)
        return "in" if declared else "not answered"
    if answer.status_code >= 500 and address.route not in MAY_BE_UNAVAILABLE:
        return str(answer.status_code)
    return "out" if answer.status_code == 403 else "in"
