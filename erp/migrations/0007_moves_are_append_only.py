"""A move names its bin and is never changed; documents of the store have numbers."""

import django.db.models.deletion
from django.db import migrations, models

# TRUNCATE fires no row trigger: the owner may still empty a test database.
APPEND_ONLY = """
CREATE FUNCTION erp_stockmove_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Stock moves are append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER erp_stockmove_append_only
    BEFORE UPDATE OR DELETE ON erp_stockmove
    FOR EACH ROW EXECUTE FUNCTION erp_stockmove_refuse_change();
"""
APPEND_ONLY_UNDO = """
DROP TRIGGER erp_stockmove_append_only ON erp_stockmove;
DROP FUNCTION erp_stockmove_refuse_change();
"""

# Every table with a trigger named "…_append_only" is taken from the application's role, whichever
# room it belongs to; a room that adds one calls the function again.
APPLICATION_ROLE = """
CREATE OR REPLACE FUNCTION common_grant_application_role() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    protected regclass;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'millstream_app') THEN
        RETURN false;
    END IF;
    GRANT USAGE ON SCHEMA public TO millstream_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO millstream_app;
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO millstream_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public
        GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO millstream_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public
        GRANT USAGE, SELECT ON SEQUENCES TO millstream_app;
    FOR protected IN
        SELECT tgrelid::regclass FROM pg_trigger WHERE tgname LIKE '%\\_append\\_only'
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM millstream_app', protected);
    END LOOP;
    RETURN true;
END $$;
SELECT common_grant_application_role();
"""

SEQUENCES = (
    "CREATE SEQUENCE common_number_tr START 100001; CREATE SEQUENCE common_number_ct START 100001;"
)
SEQUENCES_UNDO = "DROP SEQUENCE common_number_tr; DROP SEQUENCE common_number_ct;"


class Migration(migrations.Migration):
    dependencies = [
        ("erp", "0006_stock_has_a_place"),
        ("common", "0002_audit_trigger_and_sequences"),
    ]

    operations = [
        migrations.AlterField(
            model_name="stockmove",
            name="bin",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="erp.bin"
            ),
        ),
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDO),
        migrations.RunSQL(SEQUENCES, SEQUENCES_UNDO),
        migrations.RunSQL(APPLICATION_ROLE, migrations.RunSQL.noop),
    ]
