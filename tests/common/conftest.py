"""Fixtures of this room."""

import os

import pytest
from django.db import DatabaseError, connection, transaction


@pytest.fixture
def as_application(db):
    """The application's role, as docs/database-roles.md makes it."""
    with connection.cursor() as cursor:
        _ensure_role(cursor)
        cursor.execute("SELECT common_grant_application_role()")
        assert cursor.fetchone() == (True,)
        cursor.execute("SET LOCAL ROLE millstream_app")
        yield
        cursor.execute("RESET ROLE")


def _ensure_role(cursor) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = 'millstream_app'")
    if cursor.fetchone():
        return
    try:
        with transaction.atomic():
            cursor.execute("CREATE ROLE millstream_app NOLOGIN")
            cursor.execute("GRANT millstream_app TO CURRENT_USER")
    except DatabaseError:
        sentence = "The role millstream_app is missing and may not be made by this test's role."
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
