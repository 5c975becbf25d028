"""Every URL, every role: who is not let in by the table is not let in at all."""

from functools import cache

import pytest
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.test import Client
from django.urls import resolve

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
def bare_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands are refused here; what their page looks like is other tests' concern."""

    def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
        return HttpResponseForbidden()

    monkeypatch.setattr(urls, "handler403", refused, raising=False)


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


@pytest.mark.usefixtures("db", "bare_refusals")
def test_only_who_the_table_names_gets_in(
    principals: dict[str, Principal], address: Address
) -> None:
    wrong = {}
    clients = {
        name: principal.client(raise_request_exception=False)
        for name, principal in principals.items()
    }
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
