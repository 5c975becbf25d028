"""Getting in and out, languages, administration of users, commands, health."""

import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from common import api_tokens, audit, selectors
from common.enums import Role
from common.models import ApiToken, AuditEntry, Heartbeat, User
from common.views import health
from tests.factories import UserFactory

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _quick_passwords_and_no_earlier_guesses(settings, db) -> None:
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def sales(db) -> User:
    return User.objects.create_user("sales", password=PASSWORD, roles=[Role.SALES])


def _login(client: Client, password: str = PASSWORD):
    return client.post("/accounts/login/", {"login": "sales", "password": password})


def test_a_password_opens_the_door(sales) -> None:
    client = Client()
    answer = _login(client)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/notifications/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/notifications/").status_code == 302


def test_guessing_is_stopped_after_five_times(sales) -> None:
    client = Client()
    for _guess in range(5):
        assert _login(client, "wrong").status_code == 200
    _login(client)
    assert client.get("/notifications/").status_code == 302


def _guess(of: str, *, at: str) -> None:
    """Ten wrong passwords for as many names, from an address that is told by the proxy."""
    for name in range(10):
        wrong = {"login": f"{of}{name}", "password": "wrong"}
        Client().post("/accounts/login/", wrong, headers={"X-Forwarded-For": at})


def _gets_in(*, at: str) -> bool:
    client = Client(headers={"X-Forwarded-For": at})
    _login(client)
    return client.get("/notifications/").status_code == 200


def test_behind_a_proxy_who_guesses_locks_out_nobody_else(sales, settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    _guess("a", at="203.0.113.9")
    # What the guesser writes into the header itself stands before what the proxy saw.
    assert not _gets_in(at="198.51.100.1, 203.0.113.9")
    assert _gets_in(at="203.0.113.10")


def test_without_a_proxy_an_address_that_somebody_names_does_not_count(sales) -> None:
    _guess("a", at="203.0.113.9")
    assert not _gets_in(at="203.0.113.10")


@pytest.mark.parametrize(("more", "count"), [({}, 0), ({"BEHIND_TLS": "1"}, 1)])
def test_the_proxy_that_speaks_tls_is_the_one_that_is_trusted(more, count) -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "from config import settings as s; print(s.ALLAUTH_TRUSTED_PROXY_COUNT)",
        ],
        env={**os.environ, "BEHIND_TLS": "", "SECRET_KEY": "x" * 50, **more},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == str(count)


@pytest.mark.parametrize("page", ["signup", "email", "password/reset", "confirm-email"])
def test_nobody_makes_an_account_for_themselves(db, page: str) -> None:
    assert Client().get(f"/accounts/{page}/").status_code == 404


def test_the_adapter_closes_the_signup_too(rf) -> None:
    from allauth.account.adapter import get_adapter

    assert get_adapter().is_open_for_signup(rf.get("/")) is False


@pytest.mark.parametrize("url", ["/accounts/password/change/", "/accounts/2fa/"])
def test_ones_own_account_pages_open(sales, url: str) -> None:
    client = Client()
    assert client.get(url).status_code == 302
    _login(client)
    assert client.get(url).status_code == 200


def test_a_new_password_is_checked_and_set(sales) -> None:
    client = Client()
    _login(client)

    def change(password: str):
        return client.post(
            "/accounts/password/change/",
            {"oldpassword": PASSWORD, "password1": password, "password2": password},
        )

    assert change("short").status_code == 200
    assert change("battery staple horse").status_code == 302
    sales.refresh_from_db()
    assert sales.check_password("battery staple horse")


def test_the_language_is_the_users(client_for, user_for) -> None:
    client = client_for(Role.SALES)
    headers = {"Referer": "http://testserver/notifications/"}
    answer = client.post("/language/", {"language": "zh-hans"}, headers=headers)
    assert answer["Location"] == "http://testserver/notifications/"
    user_for(Role.SALES).refresh_from_db()
    assert user_for(Role.SALES).language == "zh-hans"
    page = client.get("/notifications/", headers={"Accept-Language": "en"})
    assert page["Content-Language"] == "zh-hans"


def test_before_the_login_the_cookie_decides_then_the_browser(db) -> None:
    client = Client(headers={"Accept-Language": "zh-CN,en;q=0.5"})
    assert client.get("/accounts/login/")["Content-Language"] == "zh-hans"
    client.post("/language/", {"language": "en", "next": "/accounts/login/"})
    assert client.get("/accounts/login/")["Content-Language"] == "en"


def test_a_language_change_leads_to_no_other_site(db) -> None:
    answer = Client().post("/language/", {"language": "en", "next": "https://evil.example/"})
    assert answer["Location"] == "/"
    assert Client().post("/language/", {"language": "xx"}).status_code == 400


@pytest.mark.parametrize("role", Role)
def test_everybody_has_a_first_page(client_for, user_for, role: Role) -> None:
    client = client_for(role)
    if role == Role.CUSTOMER:
        company = apps.get_model("masterdata.Customer").objects.create(code="CUST-A", name="A")
        user = user_for(role)
        apps.get_model("masterdata.CustomerUser").objects.create(user=user, customer=company)
    answer = client.get("/")
    # Not to the page that only says welcome.
    assert answer.status_code == 302
    assert client.get(answer["Location"]).status_code == 200


# Administration of users.


def _form(**fields) -> dict[str, object]:
    return {"username": "new", "language": "en", "roles": [], **fields}


def test_an_administrator_makes_a_user(client_for, user_for) -> None:
    answer = client_for(Role.ADMINISTRATOR).post(
        "/admin/common/user/add/",
        _form(
            roles=[Role.PLANNER, Role.SALES],
            usable_password="true",
            password1=PASSWORD,
            password2=PASSWORD,
        ),
    )
    assert answer.status_code == 302
    user = User.objects.get(username="new")
    assert user.roles == [Role.SALES, Role.PLANNER]
    assert user.check_password(PASSWORD)
    row = AuditEntry.objects.get()
    assert (row.action, row.actor) == ("common.user.create", user_for(Role.ADMINISTRATOR))
    assert "password" not in str(row.changes)


def test_an_administrator_changes_roles_and_the_trail_says_so(client_for) -> None:
    user = UserFactory(username="new", roles=[Role.SALES])
    client = client_for(Role.ADMINISTRATOR)
    answer = client.post(
        f"/admin/common/user/{user.pk}/change/", _form(roles=[Role.PLANNER], is_active="")
    )
    assert answer.status_code == 302
    user.refresh_from_db()
    assert (user.roles, user.is_active) == ([Role.PLANNER], False)
    assert AuditEntry.objects.get().changes == {
        "roles": [["sales"], ["planner"]],
        "is_active": [True, False],
    }


def test_a_customer_with_another_role_is_refused_with_a_sentence(client_for) -> None:
    user = UserFactory(username="new", roles=[Role.SALES])
    page = client_for(Role.ADMINISTRATOR).post(
        f"/admin/common/user/{user.pk}/change/", _form(roles=[Role.CUSTOMER, Role.SALES])
    )
    assert page.status_code == 200
    assert "customer" in str(page.context["adminform"].errors)
    user.refresh_from_db()
    assert user.roles == [Role.SALES]


def test_an_administrator_sets_a_password_and_the_trail_says_so(client_for) -> None:
    user = UserFactory(username="new")
    page = f"/admin/common/user/{user.pk}/password/"
    client = client_for(Role.ADMINISTRATOR)
    data = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    client.post(page, {**data, "password2": "other"})
    assert not AuditEntry.objects.exists()
    client.post(page, data)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert AuditEntry.objects.get().action == "common.user.set_password"


def test_nobody_is_deleted(client_for) -> None:
    user = UserFactory()
    client = client_for(Role.ADMINISTRATOR)
    assert client.post(f"/admin/common/user/{user.pk}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=user.pk).exists()


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_administration_is_for_administrators(client_for, role: Role) -> None:
    assert client_for(role).get("/admin/").status_code == 403
    assert client_for(role).get("/admin/login/").status_code == 403


def test_the_admin_has_no_second_login(client_for) -> None:
    answer = client_for().get("/admin/login/")
    assert answer["Location"].startswith("/accounts/login/")


# Commands.


def _run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_create_token_prints_a_token_that_works(sales) -> None:
    token = _run("create_token", "sales").strip()
    found = api_tokens.find(token)
    assert found is not None
    assert found.user == sales
    second = _run("create_token", "sales").strip()
    assert api_tokens.find(token)
    renewed = _run("create_token", "sales", "--renew").strip()
    assert [bool(api_tokens.find(t)) for t in (token, second, renewed)] == [False, False, True]
    assert audit.history(sales).filter(action="common.user.create_token").count() == 3


def test_create_token_says_what_is_wrong(sales) -> None:
    with pytest.raises(CommandError, match="no user 'nobody'") as unknown:
        _run("create_token", "nobody")
    assert unknown.value.returncode == 2
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="deactivated"):
        _run("create_token", "sales")
    assert not ApiToken.objects.exists()


def test_demo_accounts_are_shown_in_demo_mode_only(sales, settings) -> None:
    UserFactory(username="customer-b", roles=[Role.CUSTOMER])
    UserFactory(username="somebody", roles=[Role.PLANNER])
    settings.DEMO_MODE = True
    # Somebody's own data, with accounts that happen to be called so.
    assert selectors.demo_accounts() == []
    assert "millstream-demo" not in _run("show_logins")
    assert "demo-tile" not in Client().get("/accounts/login/").content.decode()
    audit.record(action=selectors.DEMO_MARK, target=sales, by=None, now=timezone.now())
    assert "demo-tile" in Client().get("/accounts/login/").content.decode()
    assert [a.username for a in selectors.demo_accounts()] == ["sales", "customer-b"]
    assert "millstream-demo" in _run("show_logins")
    settings.DEMO_MODE = False
    assert selectors.demo_accounts() == []
    assert "millstream-demo" not in _run("show_logins")


# Health.


def test_alive_without_asking_anybody(client) -> None:
    assert client.get("/livez").content == b"ok"


@pytest.fixture
def redis_answers(monkeypatch):
    monkeypatch.setattr(health, "_redis", lambda: True)


def test_ready_when_all_is_there(client, db, redis_answers) -> None:
    Heartbeat.objects.create(name="dispatcher", at=timezone.now())
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_a_silent_dispatcher_is_degraded(client, db, redis_answers) -> None:
    Heartbeat.objects.create(name="dispatcher", at=timezone.now() - timedelta(minutes=2))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["dispatcher"] == "failed"


def test_no_redis_is_degraded(client, db, settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    Heartbeat.objects.create(name="dispatcher", at=timezone.now())
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["redis"] == "failed"


def test_a_missing_migration_is_down(client, db, redis_answers, monkeypatch) -> None:
    monkeypatch.setattr(health, "_migrations", lambda: False)
    assert client.get("/readyz").status_code == 503


def test_no_database_is_down(client, redis_answers, monkeypatch) -> None:
    def gone() -> bool:
        raise DatabaseError("the connection is closed")

    monkeypatch.setattr(health, "_database", gone)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "down")
