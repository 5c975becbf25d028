"""What the ORM cannot say: the audit trail is append-only, documents are numbered by sequences."""

from django.db import migrations

# TRUNCATE fires no row trigger: the owner may still empty a test database. The role that the
# application runs as in production holds no right to it (docs/database-roles.md).
APPEND_ONLY = """
CREATE FUNCTION common_audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit trail is append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER common_auditentry_append_only
    BEFORE UPDATE OR DELETE ON common_auditentry
    FOR EACH ROW EXECUTE FUNCTION common_audit_refuse_change();
"""
APPEND_ONLY_UNDO = """
DROP TRIGGER common_auditentry_append_only ON common_auditentry;
DROP FUNCTION common_audit_refuse_change();
"""

# Gives the application's role what it needs and no more, where somebody made such a role. It is
# a function so that `SELECT common_grant_application_role()` repeats it after the role was made.
APPLICATION_ROLE = """
CREATE FUNCTION common_grant_application_role() RETURNS boolean LANGUAGE plpgsql AS $$
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
    REVOKE UPDATE, DELETE, TRUNCATE ON common_auditentry FROM millstream_app;
    RETURN true;
END $$;
SELECT common_grant_application_role();
"""
APPLICATION_ROLE_UNDO = "DROP FUNCTION common_grant_application_role();"

NUMBERED = ("so", "wo", "po", "sh", "lot")
SEQUENCES = "".join(f"CREATE SEQUENCE common_number_{code} START 100001;\n" for code in NUMBERED)
SEQUENCES_UNDO = "".join(f"DROP SEQUENCE common_number_{code};\n" for code in NUMBERED)


class Migration(migrations.Migration):
    dependencies = [("common", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDO),
        migrations.RunSQL(SEQUENCES, SEQUENCES_UNDO),
        migrations.RunSQL(APPLICATION_ROLE, APPLICATION_ROLE_UNDO),
    ]
