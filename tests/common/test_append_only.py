"""What is never altered: the database refuses it, and the application's role has no right to it."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader

# Table, and the columns that may be filled in later.
APPEND_ONLY = {
    "common_auditentry": set(),
    "crm_containment": {"released_at", "released_by_id", "release_reason"},
    "crm_drillresult": set(),
    "crm_recalldrill": set(),
    "crm_ticketevidence": set(),
    "crm_tracereport": set(),
    "erp_costentry": set(),
    "erp_purchasereceipt": set(),
    "erp_stockmove": set(),
    "mes_checkresult": {"decision", "decision_reason", "decided_by_id", "decided_at"},
    "mes_incidententry": {"by_id"},
    "mes_machineevent": set(),
    "mes_operationreport": set(),
    "traceability_complaint": set(),
    "traceability_custody": set(),
    "traceability_event": set(),
    "traceability_hold": {"released_at", "released_by_id", "release_reason"},
    "traceability_kit": set(),
    "traceability_link": set(),
    "traceability_linkend": set(),
    "traceability_reading": set(),
    "traceability_seal": set(),
}
MAY = "SELECT has_table_privilege('millstream_app', %s, %s)"
MAY_CHANGE = """
SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
    AND has_column_privilege('millstream_app', attrelid, attnum, 'UPDATE')
"""


def _ask(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def test_these_tables_have_the_trigger_and_no_others(db):
    rows = _ask(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger "
        "WHERE tgname LIKE '%%append_only' AND tgparentid = 0"  # Partitions have their table's.
    )
    assert {table for table, _name in rows} == APPEND_ONLY.keys()
    assert all(name == f"{table}_append_only" for table, name in rows)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_application_may_add_rows_and_neither_change_nor_take_one(as_application, table):
    for right in ("SELECT", "INSERT"):
        assert _ask(MAY, table, right) == [(True,)], right
    for right in ("UPDATE", "DELETE", "TRUNCATE"):
        assert _ask(MAY, table, right) == [(False,)], right
    assert {column for (column,) in _ask(MAY_CHANGE, table)} == APPEND_ONLY[table]


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_application_is_refused_by_the_database_itself(as_application, table):
    statements = [f"DELETE FROM {table}", f"TRUNCATE {table}"]
    if not APPEND_ONLY[table]:
        [(column,)] = _ask(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", table
        )
        statements.append(f"UPDATE {table} SET {column} = {column}")
    for statement in statements:
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            _ask(statement)


def test_other_tables_may_be_changed(as_application):
    """The control: it is not that the role may change nothing."""
    assert _ask(MAY, "erp_stockbalance", "UPDATE") == [(True,)]
    assert _ask(MAY, "mes_timebooking", "DELETE") == [(True,)]


def test_an_app_whose_migration_protects_a_table_grants_the_rights_anew_after_it():
    """Default privileges let the application change what a later migration makes."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    for config in apps.get_app_configs():
        texts = {
            name: Path(str(module.__file__)).read_text()
            for (label, name), migration in loader.disk_migrations.items()
            if label == config.label
            for module in [import_module(type(migration).__module__)]
        }
        protects = [name for name, text in texts.items() if re.search(r"_append_only\n", text)]
        grants = [name for name, text in texts.items() if "common_grant_application_role" in text]
        if protects:
            assert max(grants, default="") >= max(protects), config.label
