"""The audit trail: written with the change, never changed again."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from common import audit
from common.enums import Role
from common.models import AuditEntry
from tests.factories import UserFactory


def _record(user, now, **kwargs):
    return audit.record(action="common.user.change", target=user, by=user, now=now, **kwargs)


def test_a_row_says_who_what_when_and_why(user_for, now) -> None:
    user = user_for(Role.SALES)
    _record(user, now, reason="She moved", changes={"weight": [Decimal("1.5"), now]})
    row = AuditEntry.objects.get()
    assert (row.actor, row.actor_label, row.at, row.reason) == (user, "sales", now, "She moved")
    assert (row.target_type, row.target_id) == ("common.user", user.pk)
    assert row.changes == {"weight": ["1.5", "2026-11-23T07:00:00Z"]}


def test_the_system_has_a_name_too(user_for, now) -> None:
    audit.record(action="common.user.change", target=user_for("sales"), by=None, now=now)
    assert AuditEntry.objects.get().actor_label == "system"


def test_history_is_of_one_object_and_newest_first(user_for, now) -> None:
    sales, planner = user_for(Role.SALES), user_for(Role.PLANNER)
    first = _record(sales, now)
    second = _record(sales, now + timedelta(minutes=1))
    _record(planner, now)
    assert list(audit.history(sales)) == [second, first]


def test_many_rows_are_one_statement(user_for, now, django_assert_num_queries) -> None:
    users = [UserFactory() for _ in range(30)]
    with django_assert_num_queries(1):
        audit.record_many(action="common.user.change", targets=users, by=None, now=now)
    assert AuditEntry.objects.count() == 30


def test_difference_names_only_what_changed() -> None:
    before, after = {"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}
    assert audit.difference(before, after) == {"b": [2, 3], "c": [None, 4]}


@pytest.mark.django_db(transaction=True)
def test_a_row_outside_a_transaction_is_refused(now) -> None:
    user = UserFactory()
    with pytest.raises(audit.OutsideTransaction):
        _record(user, now)
    with pytest.raises(audit.OutsideTransaction):
        audit.record_many(action="common.user.change", targets=[user], by=None, now=now)
    assert not AuditEntry.objects.exists()


def _try(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE common_auditentry SET reason = 'another'", "DELETE FROM common_auditentry"],
)
def test_the_database_refuses_to_change_a_row(user_for, now, statement: str) -> None:
    row = _record(user_for(Role.SALES), now, reason="this")
    with pytest.raises(DatabaseError, match="append-only"):
        _try(statement)
    assert AuditEntry.objects.get() == row
    assert AuditEntry.objects.get().reason == "this"


def test_without_the_trigger_a_row_could_be_changed(user_for, now) -> None:
    """The control: it is the trigger that refuses."""
    _record(user_for(Role.SALES), now)
    _try("SET CONSTRAINTS ALL IMMEDIATE")
    _try("ALTER TABLE common_auditentry DISABLE TRIGGER common_auditentry_append_only")
    _try("UPDATE common_auditentry SET reason = 'another'")
    assert AuditEntry.objects.get().reason == "another"


def test_the_application_role_appends(as_application, now) -> None:
    user = UserFactory()
    _record(user, now)
    assert list(audit.history(user).values_list("target_label", flat=True)) == [user.username]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE common_auditentry SET reason = 'another'",
        "DELETE FROM common_auditentry",
        "TRUNCATE common_auditentry",
        "ALTER TABLE common_auditentry DISABLE TRIGGER ALL",
        "DROP TRIGGER common_auditentry_append_only ON common_auditentry",
    ],
)
def test_the_application_role_cannot_take_a_row_away(as_application, now, statement: str) -> None:
    _record(UserFactory(), now)
    with pytest.raises(DatabaseError, match="permission denied|must be owner"):
        _try(statement)
    assert AuditEntry.objects.count() == 1


def test_the_audit_page_shows_and_filters(client_for, user_for, now) -> None:
    _record(user_for(Role.SALES), now, reason="because")
    _record(user_for(Role.PLANNER), now)
    page = client_for(Role.MANAGER).get("/audit/", {"q": "sales"})
    assert page.status_code == 200
    assert [row.target_label for row in page.context["page"]] == ["sales"]
    assert client_for(Role.SALES).get("/audit/").status_code == 403


def test_a_row_keeps_when_it_was_written_beside_what_a_device_says(user_for, client_for, now):
    user = user_for(Role.SALES)
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        clock = cursor.fetchone()[0]
    late = _record(user, clock - timedelta(hours=3), reason="told late")
    soon = _record(user, clock, reason="told at once")
    (many,) = audit.record_many(action="common.user.change", targets=[user], by=None, now=clock)
    for row in (late, soon, many):
        row.refresh_from_db()
        assert timedelta() <= row.received_at - clock < timedelta(minutes=1)
    assert (late.was_told_late, soon.was_told_late) == (True, False)
    page = client_for(Role.MANAGER).get("/audit/").content.decode()
    assert page.count(">received ") == 1
