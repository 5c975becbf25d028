"""What the API's errors look like; bad input is never a server error."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.urls import path
from rest_framework import serializers
from rest_framework.response import Response

from common.api import ApiView, ListApiView, StrictSerializer
from common.enums import Role
from common.errors import Refused
from common.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.urls(__name__)


class LineSerializer(StrictSerializer):
    quantity = serializers.IntegerField(min_value=1)


class OrderSerializer(StrictSerializer):
    name = serializers.CharField()
    lines = LineSerializer(many=True, required=False)


class UserSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ("username",)


class Orders(ApiView):
    required_permission = {"GET": "crm.view_order", "POST": "crm.edit_order"}

    def get(self, request) -> Response:
        return Response({"language": request.LANGUAGE_CODE, "name": str(Role.SALES.label)})

    def post(self, request) -> Response:
        order = OrderSerializer(data=request.data)
        order.is_valid(raise_exception=True)
        return Response(order.validated_data, status=201)


def _sql(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def _twice() -> None:
    UserFactory(username="twin")
    UserFactory(username="twin")


FAILURES = {
    "refused": lambda: (_ for _ in ()).throw(Refused("The order has no lines.")),
    "field": lambda: (_ for _ in ()).throw(ValidationError({"code": ["Used already."]})),
    "plain": lambda: (_ for _ in ()).throw(ValidationError("The dates overlap.")),
    "missing": lambda: User.objects.get(username="nobody"),
    "range": lambda: _sql("SELECT 99999999999::int"),
    "twice": _twice,
    "locked": lambda: _sql("DO $$ BEGIN RAISE lock_not_available; END $$"),
    "defect": lambda: _sql("INSERT INTO common_heartbeat (name) VALUES ('x')"),
}


class Fail(ApiView):
    required_permission = "crm.view_order"

    def get(self, request, how: str) -> Response:
        with transaction.atomic():
            FAILURES[how]()
        raise AssertionError


class Users(ListApiView):
    required_permission = "crm.view_order"
    serializer_class = UserSerializer
    queryset = User.objects.order_by("pk")


urlpatterns = [
    path("api/orders/", Orders.as_view()),
    path("api/fail/<str:how>/", Fail.as_view()),
    path("api/users/", Users.as_view()),
]
handler404 = "common.views.errors.not_found"
handler500 = "common.views.errors.server_error"


@pytest.mark.parametrize(
    ("how", "status", "answer"),
    [
        ("refused", 409, {"detail": "The order has no lines."}),
        ("field", 400, {"code": ["Used already."]}),
        ("plain", 400, {"non_field_errors": ["The dates overlap."]}),
        ("missing", 404, {"detail": "Not found."}),
        ("range", 400, {"detail": "A value is out of range."}),
        ("twice", 409, {"detail": "This contradicts what is stored already."}),
        ("locked", 409, {"detail": "Somebody else is changing this right now. Send it again."}),
    ],
)
def test_failures_are_answers(api_client_for, how: str, status: int, answer: object) -> None:
    got = api_client_for(Role.SALES).get(f"/api/fail/{how}/")
    assert (got.status_code, got.json()) == (status, answer)


def test_a_defect_of_ours_stays_a_server_error(api_client_for) -> None:
    client = api_client_for(Role.SALES)
    client.raise_request_exception = False
    answer = client.get("/api/fail/defect/")
    assert (answer.status_code, set(answer.json())) == (500, {"detail"})


def test_an_address_that_is_not_there_is_json_to_programs_alone(api_client_for, client) -> None:
    answer = api_client_for(Role.SALES).get("/api/nowhere/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
    assert "html" in client.get("/nowhere/")["Content-Type"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name"}),
        ([], {"non_field_errors"}),
        ("text", {"non_field_errors"}),
        ({"name": "a", "nmae": "b"}, {"nmae"}),
        ({"nmae": "b"}, {"name", "nmae"}),
        ({"name": "a\x00"}, {"name"}),
        ({"name": "a\ud800"}, {"name"}),
        ({"name": "a", "\ud800": 1}, {"?"}),
        ({"name": "a", "lines": [{"quantity": 0}]}, {"lines"}),
        ({"name": "a", "lines": [{"quantity": 1, "x": 1}]}, {"lines"}),
        ({"name": "a", "lines": {}}, {"lines"}),
    ],
)
def test_bad_input_names_its_fields(api_client_for, body: object, fields: set[str]) -> None:
    answer = api_client_for(Role.SALES).post(
        "/api/orders/", json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 400
    assert set(answer.json()) == fields


def test_a_body_that_is_no_json_is_bad_input(api_client_for) -> None:
    client = api_client_for(Role.SALES)
    for key in ({}, {"Idempotency-Key": "k"}):
        answer = client.post("/api/orders/", "{", content_type="application/json", headers=key)
        assert answer.status_code == 400
        assert "detail" in answer.json()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("[" * 100_000 + "]" * 100_000, id="deep array"),
        pytest.param('{"a":' * 50_000 + "1" + "}" * 50_000, id="deep object"),
        pytest.param('{"name": NaN}', id="no number"),
        pytest.param(b'{"name": "\xff"}', id="no UTF-8"),
    ],
)
def test_a_hostile_body_is_bad_input(api_client_for, body: str | bytes) -> None:
    client = api_client_for(Role.SALES)
    for key in ({}, {"Idempotency-Key": "k"}):
        answer = client.post("/api/orders/", body, content_type="application/json", headers=key)
        assert answer.status_code == 400
        assert "detail" in answer.json()


def test_a_body_too_large_is_refused_with_a_sentence(api_client_for, settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = api_client_for(Role.SALES).post("/api/orders/", {"name": "a" * 200}, format="json")
    assert answer.status_code == 413
    assert "too large" in answer.json()["detail"]


def test_good_input_passes(api_client_for) -> None:
    body = {"name": "a", "lines": [{"quantity": 1}]}
    answer = api_client_for(Role.SALES).post("/api/orders/", body, format="json")
    assert (answer.status_code, answer.json()) == (201, body)


def test_who_has_no_token_is_asked_for_one(api_client_for) -> None:
    answer = api_client_for().get("/api/orders/")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")


def test_a_wrong_or_deactivated_token_is_refused(api_client_for, user_for) -> None:
    client = api_client_for(Role.SALES)
    User.objects.update(is_active=False)
    assert client.get("/api/orders/").status_code == 401
    client.credentials(HTTP_AUTHORIZATION="Token 0")
    assert client.get("/api/orders/").status_code == 401


def test_each_method_asks_for_its_own_right(api_client_for) -> None:
    planner = api_client_for(Role.PLANNER)
    assert planner.get("/api/orders/").status_code == 200
    assert planner.post("/api/orders/", {"name": "a"}, format="json").status_code == 403
    assert api_client_for(Role.OPERATOR).get("/api/orders/").status_code == 403
    assert planner.delete("/api/orders/").status_code == 405


def test_a_browsers_session_is_protected_against_forgery(client_for) -> None:
    client = client_for(Role.SALES)
    client.handler.enforce_csrf_checks = True
    assert client.get("/api/orders/").status_code == 200
    answer = client.post("/api/orders/", {"name": "a"}, content_type="application/json")
    assert answer.status_code == 403


def test_lists_come_in_pages(api_client_for) -> None:
    for _number in range(60):
        UserFactory()
    client = api_client_for(Role.SALES)
    assert len(client.get("/api/users/").json()["results"]) == 50
    assert len(client.get("/api/users/?page_size=10&page=2").json()["results"]) == 10
    assert client.get("/api/users/?page=999").status_code == 404
    assert client.get("/api/users/?page=x").status_code == 404


def test_a_token_speaks_its_users_language_unless_asked_for_another(
    api_client_for, user_for, settings
) -> None:
    user_for(Role.SALES).language = "zh-hans"
    user_for(Role.SALES).save()
    client = api_client_for(Role.SALES)
    assert client.get("/api/orders/")["Content-Language"] == "zh-hans"
    assert client.get("/api/orders/", headers={"Accept-Language": "en"})["Content-Language"] == "en"
