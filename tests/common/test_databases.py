"""Tests that commit leave nothing to the next one."""

import threading

import psycopg
import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, connections, transaction

from common import audit
from common.models import AuditEntry, User
from tests.databases import drop_with_connections, empty, filled_tables
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_row_of_any_model_is_left_even_where_rows_refuse_to_be_deleted(now) -> None:
    user = UserFactory()
    with transaction.atomic():
        audit.record(action="common.user.change", target=user, by=user, now=now)
    assert {User._meta.db_table, AuditEntry._meta.db_table} <= set(filled_tables(connection))
    empty(connection)
    models = set(apps.get_models()) - {ContentType, Permission}
    assert [model for model in models if model._base_manager.exists()] == []


def test_a_database_is_dropped_with_those_of_our_role_in_it() -> None:
    name = f"{connection.settings_dict['NAME']}_left"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        inside = connection.get_connection_params() | {"dbname": name, "autocommit": True}
        with psycopg.connect(**inside) as listener:
            drop_with_connections(cursor, name)
            with pytest.raises(psycopg.OperationalError):
                listener.execute("SELECT 1")
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name])
        assert cursor.fetchone() == (0,)


def test_what_another_process_is_about_to_commit_goes_too() -> None:
    written, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            UserFactory()
            written.set()
            go_on.wait(10)
        connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    assert written.wait(10)
    threading.Timer(0.2, go_on.set).start()
    empty(connection)
    writer.join()
    assert go_on.is_set()
    assert not User.objects.exists()
