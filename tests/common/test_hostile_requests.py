"""Requests that no browser makes: refused with 4xx, quickly, and never by a server error."""

import time
from io import BytesIO
from typing import Any

import pytest
from django.test import Client, RequestFactory

from common.enums import Role
from config.wsgi import application
from tests.crm.factories import Shop

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n--x--\r\n'


@pytest.fixture
def sales(db: None, client_for) -> Client:
    client: Client = client_for(Role.SALES)
    client.raise_request_exception = False
    return client


def through_wsgi(url: str, body: bytes, kind: str) -> str:
    """The status line that the web process answers with."""
    environ = RequestFactory().post(url, body, content_type=FORM).environ
    environ["CONTENT_TYPE"] = kind
    said: list[str] = []

    def start_response(status: str, headers: object, exc_info: object = None) -> None:
        said.append(status)

    list(application(environ, start_response))  # type: ignore[arg-type]
    return said[0]


# A request begins by looking at the connections of its process: with `db`, ours is one to look at.
@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("charset", ["", "; charset=utf-8", '; charset="UTF-8"'])
def test_utf8_is_read(charset: str) -> None:
    # Read, and refused for another reason: no form of ours comes without its cookie.
    assert through_wsgi("/livez?a=1", b"note=hello", FORM + charset).startswith("403")


CHARSETS = ["rot13", "base64", "hex", "undefined", "utf-16", "nonsense", "\x00", '"', "latin-1"]


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize(
    ("kind", "body"), [(FORM, b"note=hello"), (MULTIPART, PART), ("application/json", b"{}")]
)
def test_another_encoding_than_utf8_is_a_bad_request(kind: str, body: bytes, charset: str) -> None:
    for url in ("/livez?a=1", "/orders/new/?a=1", "/api/v1/sales-orders/?a=1"):
        assert through_wsgi(url, body, f"{kind}; charset={charset}").startswith("400")


def test_the_control_django_alone_breaks_at_such_a_request() -> None:
    with pytest.raises(LookupError, match="rot13"):
        RequestFactory().post("/livez?a=1", b"a", content_type=f"{FORM}; charset=rot13")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "FOO"])
@pytest.mark.parametrize(
    "url", ["/orders/new/", "/orders/", "/plan/", "/portal/", "/notifications/", "/ui/language/"]
)
def test_pages_answer_the_methods_of_browsers_alone(sales: Client, method: str, url: str) -> None:
    assert sales.generic(method, url).status_code in {404, 405}


def test_the_order_form_says_405(sales: Client) -> None:
    answer = sales.put("/orders/new/")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")


@pytest.mark.parametrize("url", ["/orders/new/", "/orders/check/"])
@pytest.mark.parametrize("total", ["501", "1000000", "9" * 4000])
def test_a_form_of_more_rows_than_there_can_be_is_refused_quickly(
    sales: Client, url: str, total: str
) -> None:
    data = {"line-TOTAL_FORMS": total, "line-INITIAL_FORMS": "0", "customer": "X"}
    started = time.monotonic()
    assert sales.post(url, data).status_code == 400
    assert time.monotonic() - started < 1


def test_a_form_of_as_many_rows_as_there_can_be_is_read(sales: Client, shop: Shop) -> None:
    data = {"line-TOTAL_FORMS": "500", "line-INITIAL_FORMS": "0", "customer": "NOBODY"}
    for number in range(500):
        for name in ("item", "quantity", "unit_price", "requested_date", "rush"):
            data[f"line-{number}-{name}"] = ""
    assert sales.post("/orders/new/", data).status_code == 422


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop()


@pytest.mark.parametrize("body", ["null", "[]", "0", '""', "false"])
def test_what_is_no_object_is_not_taken_for_an_empty_body(api_client_for, shop, body: str) -> None:
    order = shop.enter()
    done = shop.converted()
    operation = shop.work(done)[0].operations.get(sequence=10)
    work_order = operation.work_order.number
    for role, url in (
        (Role.SALES, f"/api/v1/sales-orders/{order.number}/submit/"),
        (Role.OPERATOR, f"/api/v1/work-orders/{work_order}/operations/10/start/"),
    ):
        client = api_client_for(role)
        answer = client.generic("POST", url, body, content_type="application/json")
        assert answer.status_code == 400, (url, answer.content)
    assert shop.fresh(order).state == "draft"
    # The control: no body at all, and an empty object.
    client = api_client_for(Role.SALES)
    assert client.post(f"/api/v1/sales-orders/{order.number}/submit/").status_code == 200


@pytest.mark.parametrize("url", ["/accounts/login/", "/reports/verify/x/", "/api/v1/orders/"])
def test_what_is_too_large_is_refused_before_it_is_read(client: Client, url: str) -> None:
    """Whoever sends it: Django would write it to the disk first, and ask who may afterwards."""
    body = BytesIO(b"x" * 10)
    said: dict[str, Any] = {"CONTENT_LENGTH": "70000001", "wsgi.input": body}
    answer = client.generic("POST", url, content_type=MULTIPART, **said)
    assert answer.status_code == 413
    assert "at once" in answer.content.decode()
    assert body.tell() == 0


def test_a_body_as_large_as_may_be_is_read(db: None, client: Client) -> None:
    answer = client.generic("POST", "/accounts/login/", CONTENT_LENGTH="70000000")
    assert answer.status_code == 200
