"""A repeated POST gets the first answer again, and its effect happens once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.urls import path
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIClient

from common import api_tokens, idempotency
from common.api import ApiView
from common.enums import Role
from common.errors import Refused
from common.models import IdempotentAnswer, Notification
from tests.factories import UserFactory

pytestmark = pytest.mark.urls(__name__)


class Gate:
    """Lets a test hold the effect open."""

    entered = threading.Event()
    opened = threading.Event()


class Effect(ApiView):
    required_permission = "crm.edit_order"

    def post(self, request) -> Response:
        row = Notification.objects.create(
            user=request.user, kind="made", created_at="2026-11-23T07:00:00Z"
        )
        if request.data.get("wait"):
            Gate.entered.set()
            assert Gate.opened.wait(10)
        if request.data.get("refuse"):
            raise Refused("No.")
        if request.data.get("bad"):
            return Response({"quantity": ["Too small."]}, status=400)
        if request.data.get("crash"):
            raise ZeroDivisionError
        return Response({"amount": "1.50", "id": row.pk}, status=201)


urlpatterns = [path("effects/", Effect.as_view()), path("others/", Effect.as_view())]


def _post(client, data=None, key="key-1", url="/effects/"):
    headers = {"Idempotency-Key": key} if key is not None else {}
    return client.post(url, data or {}, format="json", headers=headers)


def _effects() -> int:
    return Notification.objects.filter(kind="made").count()


def test_the_second_time_gives_the_first_answer(api_client_for) -> None:
    client = api_client_for(Role.SALES)
    first, second = _post(client), _post(client)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert _effects() == 1


def test_without_a_key_each_post_has_its_effect(api_client_for) -> None:
    client = api_client_for(Role.SALES)
    _post(client, key=None)
    _post(client, key=None)
    assert _effects() == 2


def test_the_order_of_a_bodys_fields_does_not_count(api_client_for) -> None:
    client = api_client_for(Role.SALES)
    _post(client, {"a": 1, "b": 2})
    assert _post(client, {"b": 2, "a": 1}).headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(("data", "url"), [({"a": 2}, "/effects/"), ({"a": 1}, "/others/")])
def test_another_request_under_the_same_key_is_refused(api_client_for, data, url) -> None:
    client = api_client_for(Role.SALES)
    _post(client, {"a": 1})
    answer = _post(client, data, url=url)
    assert answer.status_code == 422
    assert "another request" in answer.json()["detail"]
    assert _effects() == 1


def test_keys_of_different_users_have_nothing_to_do_with_each_other(api_client_for) -> None:
    _post(api_client_for(Role.SALES))
    assert "Idempotency-Replayed" not in _post(api_client_for(Role.ADMINISTRATOR)).headers
    assert _effects() == 2


def test_a_refusal_is_kept_and_its_effect_undone(api_client_for) -> None:
    client = api_client_for(Role.SALES)
    first, second = _post(client, {"refuse": 1}), _post(client, {"refuse": 1})
    assert (first.status_code, first.json()) == (409, {"detail": "No."})
    assert (second.status_code, second.json()) == (409, {"detail": "No."})
    assert second.headers["Idempotency-Replayed"] == "true"
    assert _effects() == 0


def test_bad_input_does_not_use_the_key_up(api_client_for) -> None:
    client = api_client_for(Role.SALES)
    assert _post(client, {"bad": 1}).status_code == 400
    assert _effects() == 0
    assert _post(client, {"good": 1}).status_code == 201


def test_a_crash_leaves_neither_effect_nor_key(api_client_for) -> None:
    client = api_client_for(Role.SALES)
    client.raise_request_exception = False
    assert _post(client, {"crash": 1}).status_code == 500
    assert (_effects(), IdempotentAnswer.objects.count()) == (0, 0)


def test_without_the_right_no_key_is_kept(api_client_for) -> None:
    assert _post(api_client_for(Role.OPERATOR)).status_code == 403
    assert not IdempotentAnswer.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_of_the_wrong_length_is_named(api_client_for, key: str) -> None:
    answer = _post(api_client_for(Role.SALES), key=key)
    assert answer.status_code == 400
    assert list(answer.json()) == ["Idempotency-Key"]


def _client() -> APIClient:
    user = UserFactory(roles=[Role.SALES])
    client = APIClient()
    token = api_tokens.create(user=user, now=timezone.now())
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def _in_thread(client):
    try:
        return _post(client, {"wait": 1})
    finally:
        connection.close()


def _somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


def _post_twice_at_once(client, *, second_waits: bool):
    Gate.entered.clear()
    Gate.opened.clear()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(_in_thread, client)
        assert Gate.entered.wait(10)
        second = threads.submit(_in_thread, client)
        deadline = time.monotonic() + 10
        while second_waits and not _somebody_waits_for_a_lock():
            assert time.monotonic() < deadline, "the duplicate did not wait for the first"
            time.sleep(0.02)
        Gate.opened.set()
        return first.result(), second.result()


@pytest.mark.django_db(transaction=True)
def test_a_duplicate_sent_at_once_waits_and_gets_the_same_answer() -> None:
    first, second = _post_twice_at_once(_client(), second_waits=True)
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert _effects() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_claim_the_effect_happens_twice(monkeypatch) -> None:
    """The control: it is the claim that makes it once."""
    monkeypatch.setattr(idempotency, "claim", lambda **kwargs: (IdempotentAnswer(), True))
    monkeypatch.setattr(idempotency, "keep", lambda *args, **kwargs: None)
    _post_twice_at_once(_client(), second_waits=False)
    assert _effects() == 2


@pytest.mark.django_db(transaction=True)
def test_a_claim_outside_a_transaction_is_refused(now) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        idempotency.claim(user=UserFactory(), key="k", fingerprint="f", now=now)


def test_a_form_sent_twice_leads_to_the_first_ones_page(user_for, now) -> None:
    targets = iter(["/orders/1/", "/orders/2/"])
    kwargs = {"user": user_for(Role.SALES), "key": "k", "fingerprint": "f", "now": now}
    assert idempotency.once(**kwargs, effect=lambda: next(targets)) == "/orders/1/"
    assert idempotency.once(**kwargs, effect=lambda: next(targets)) == "/orders/1/"
    with pytest.raises(idempotency.KeyReused, match="Open a new one"):
        idempotency.once(**{**kwargs, "fingerprint": "g"}, effect=lambda: next(targets))


def test_a_form_whose_effect_was_refused_can_be_sent_again(user_for, now) -> None:
    def refuse() -> str:
        raise Refused("No.")

    kwargs = {"user": user_for(Role.SALES), "key": "k", "fingerprint": "f", "now": now}
    with pytest.raises(Refused):
        idempotency.once(**kwargs, effect=refuse)
    assert idempotency.once(**kwargs, effect=lambda: "/orders/1/") == "/orders/1/"


def test_old_answers_are_forgotten(user_for, now) -> None:
    kwargs = {"user": user_for(Role.SALES), "fingerprint": "f"}
    idempotency.claim(**kwargs, key="old", now=now - timedelta(days=31))
    idempotency.claim(**kwargs, key="new", now=now)
    assert idempotency.forget(before=now - timedelta(days=30)) == 1
    assert IdempotentAnswer.objects.get().key == "new"


def test_the_database_keeps_one_row_per_key(user_for, now) -> None:
    from django.db import IntegrityError

    row = {"user": user_for(Role.SALES), "key": "k", "fingerprint": "f", "created_at": now}
    IdempotentAnswer.objects.create(**row)
    with pytest.raises(IntegrityError, match="common_idempotentanswer_once_per_key"):
        IdempotentAnswer.objects.create(**row)


def test_a_fingerprint_tells_numbers_from_text() -> None:
    assert idempotency.fingerprint("/", {"a": 1}) != idempotency.fingerprint("/", {"a": "1"})
