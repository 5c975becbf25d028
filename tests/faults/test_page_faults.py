"""A lock held too long, and all connections of the web process cut: 409 and 503, never 500."""

import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from common.models import User
from crm.models import SalesOrder
from tests.crm.factories import Shop
from tests.faults.test_chain_faults import own_backend, supply_locked, terminate_backends
from tests.flows.chain import _DIRECT, Chain

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

ROUNDS = 12


@pytest.fixture
def shop(transactional_db: None) -> Shop:
    return Shop(now=timezone.now())


def browser(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("action", ["cancel", "quantity"])
def test_a_page_that_waits_too_long_for_the_supply_lock_says_so_and_keeps_the_form(
    shop: Shop, action: str
) -> None:
    order = shop.converted()
    url = f"/orders/{order.number}/{action}/"
    data = {"reason": "The customer wrote.", "position": "10", "quantity": "4"}
    client = browser(shop.sales)
    with supply_locked(shop.site.pk):
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        answer = client.post(url, data)
        toast = client.post(url, data, headers={"HX-Request": "true"})
        connection.close()
    assert (answer.status_code, toast.status_code) == (409, 409)
    html = answer.content.decode()
    assert "Somebody else is changing this right now" in html
    assert 'name="reason" value="The customer wrote."' in html
    assert "toast" in toast["HX-Trigger"]
    assert shop.fresh(order).state == order.state
    # The control: without the lock the same form does its work.
    assert client.post(url, data).status_code == 302


def _statuses(asks: list[Callable[[], int]]) -> Counter[int]:
    """What parallel requests were answered with."""
    found: list[int] = []
    threads = [threading.Thread(target=lambda ask=ask: found.append(ask())) for ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return Counter(found)


def _get(url: str, headers: dict[str, str]) -> int:
    try:
        with _DIRECT.open(urllib.request.Request(url, headers=headers), timeout=60) as response:  # noqa: S310
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, HTTPException):
        return 0


def _asks(chain: Chain, shop: Shop, order: SalesOrder) -> list[Callable[[], int]]:
    api = {"Authorization": f"Token {chain.api(shop.sales.username).token}"}
    session = browser(shop.sales).cookies[django_settings.SESSION_COOKIE_NAME].value
    cookie = {"Cookie": f"{django_settings.SESSION_COOKIE_NAME}={session}"}
    paths = [("/orders/", cookie), (f"/orders/{order.number}/", cookie), ("/plan/", cookie)]
    paths += [("/api/v1/sales-orders/", api), (f"/api/v1/sales-orders/{order.number}/", api)]
    return [lambda p=path, h=head: _get(chain.base + p, h) for path, head in paths]  # type: ignore[misc]


@pytest.mark.worker
@pytest.mark.slow
def test_requests_right_after_and_during_a_cut_of_all_connections_are_never_a_server_error(
    chain: Chain, shop: Shop, settings: Any
) -> None:
    # Sessions that the web process can read.
    settings.SECRET_KEY = chain.web.environment["SECRET_KEY"]
    order = shop.converted()
    asks = _asks(chain, shop, order)
    assert _statuses(asks * 2) == {200: len(asks) * 2}
    right_after: Counter[int] = Counter()
    for _round in range(ROUNDS):
        assert terminate_backends(own_backend())
        right_after += _statuses(asks)
    assert set(right_after) == {200}, chain.web.text()[-3000:]
    done, ours = threading.Event(), own_backend()

    def cut() -> None:
        while not done.wait(0.02):
            terminate_backends(ours)
        connections.close_all()

    knife = threading.Thread(target=cut)
    knife.start()
    during: Counter[int] = Counter()
    try:
        for _round in range(ROUNDS):
            during += _statuses(asks * 2)
    finally:
        done.set()
        knife.join(30)
    assert set(during) <= {200, 503}, (during, chain.web.text()[-6000:])
    # The control: the knife did hit requests.
    assert during[503], during
    assert _statuses(asks) == {200: len(asks)}
