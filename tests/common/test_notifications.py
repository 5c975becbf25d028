"""The bell."""

import pytest
from django.utils import translation

from common import notifications, selectors
from common.enums import Level, Role
from common.models import Notification
from tests.factories import UserFactory

PARAMETERS = {"order": "SO-100001", "customer": "CUST-A"}


def _tell(now, **kwargs):
    return notifications.notify(
        kind="crm.order_submitted", parameters=PARAMETERS, now=now, **kwargs
    )


def test_users_and_roles_are_told_once_each(user_for, now) -> None:
    both = UserFactory(roles=[Role.SALES, Role.MANAGER])
    sales = user_for(Role.SALES)
    UserFactory(roles=[Role.SALES], is_active=False)
    user_for(Role.PLANNER)
    told = _tell(now, users=[sales], roles=[Role.SALES, Role.MANAGER], level=Level.WARNING)
    assert {row.user for row in told} == {both, sales}
    assert Notification.objects.filter(level=Level.WARNING, created_at=now).count() == 2


def test_the_sentence_is_made_when_it_is_read(user_for, now) -> None:
    (row,) = _tell(now, users=[user_for(Role.SALES)])
    with translation.override("en"):
        assert notifications.text(row) == "Order SO-100001 of CUST-A waits for approval."


def test_an_unknown_kind_or_a_missing_parameter_raises(user_for, now) -> None:
    with pytest.raises(KeyError):
        notifications.notify(kind="no.such", parameters={}, now=now)
    with pytest.raises(KeyError):
        notifications.notify(kind="crm.order_submitted", parameters={"order": "1"}, now=now)
    assert not Notification.objects.exists()


def test_a_kind_that_is_gone_still_shows(user_for, now) -> None:
    row = Notification(user=user_for(Role.SALES), kind="old.kind", created_at=now)
    assert notifications.text(row) == "old.kind"


def test_the_page_lists_mine_and_marks_them_read(client_for, user_for, now) -> None:
    sales = user_for(Role.SALES)
    (mine,) = _tell(now, users=[sales], url="/orders/")
    _tell(now, users=[user_for(Role.PLANNER)])
    client = client_for(Role.SALES)
    page = client.get("/notifications/")
    assert [row for row, _text in page.context["rows"]] == [mine]
    assert "SO-100001" in page.content.decode()
    answer = client.post(f"/notifications/{mine.pk}/read/")
    assert (answer.status_code, answer["Location"]) == (302, "/orders/")
    assert selectors.unread_count(user=sales) == 0
    assert selectors.unread_count(user=user_for(Role.PLANNER)) == 1


def test_all_are_marked_read_at_once(client_for, user_for, now) -> None:
    for _number in range(3):
        _tell(now, users=[user_for(Role.SALES)])
    client_for(Role.SALES).post("/notifications/read/")
    assert selectors.unread_count(user=user_for(Role.SALES)) == 0


def test_another_users_notification_is_not_found(client_for, user_for, now) -> None:
    (row,) = _tell(now, users=[user_for(Role.PLANNER)])
    assert client_for(Role.SALES).post(f"/notifications/{row.pk}/read/").status_code == 404
    row.refresh_from_db()
    assert row.read_at is None


def test_a_link_to_elsewhere_is_not_followed(client_for, user_for, now) -> None:
    (row,) = _tell(now, users=[user_for(Role.SALES)], url="https://evil.example/")
    answer = client_for(Role.SALES).post(f"/notifications/{row.pk}/read/")
    assert answer["Location"] == "/notifications/"
