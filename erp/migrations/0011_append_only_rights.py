"""What is never altered is taken from the application's role, whichever room it belongs to.

A table may let some of its columns be filled in later: they are the arguments of its trigger, and
the application may change these and no others.
"""

from django.db import migrations

# TRUNCATE fires no row trigger: the owner may still empty a test database.
# The log of holds is traceability's; the function that protects it is made here, after those that
# it replaces.
APPEND_ONLY = """
CREATE FUNCTION common_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_NARGS > 0
        AND to_jsonb(NEW) - TG_ARGV[0:] = to_jsonb(OLD) - TG_ARGV[0:]
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only.', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER erp_purchasereceipt_append_only
    BEFORE UPDATE OR DELETE ON erp_purchasereceipt
    FOR EACH ROW EXECUTE FUNCTION common_refuse_change();
CREATE TRIGGER traceability_hold_append_only
    BEFORE UPDATE OR DELETE ON traceability_hold FOR EACH ROW
    EXECUTE FUNCTION common_refuse_change('released_at', 'released_by_id', 'release_reason');
"""
APPEND_ONLY_UNDO = """
DROP TRIGGER traceability_hold_append_only ON traceability_hold;
DROP TRIGGER erp_purchasereceipt_append_only ON erp_purchasereceipt;
DROP FUNCTION common_refuse_change();
"""

APPLICATION_ROLE = """
CREATE OR REPLACE FUNCTION common_grant_application_role() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    protected record;
    given text;
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
        SELECT tgrelid::regclass AS name, tgargs FROM pg_trigger
        WHERE tgname LIKE '%\\_append\\_only'
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM millstream_app', protected.name);
        -- Arguments are stored one after the other, each with a zero byte at its end.
        given := trim(trailing ',' FROM
            replace(encode(protected.tgargs, 'escape'), '\\000', ','));
        IF given <> '' THEN
            EXECUTE format('GRANT UPDATE (%s) ON %s TO millstream_app', given, protected.name);
        END IF;
    END LOOP;
    RETURN true;
END $$;
SELECT common_grant_application_role();
"""


class Migration(migrations.Migration):
    dependencies = [("erp", "0010_transfers"), ("traceability", "0002_in_transit")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDO),
        migrations.RunSQL(APPLICATION_ROLE, migrations.RunSQL.noop),
    ]
