"""Numbers of after-sales; reports and frozen lists stay as they were sent and frozen."""

from django.db import migrations

NUMBERED = {"as": 1001, "rma": 100001, "ro": 100001, "rp": 100001}
SEQUENCES = "".join(
    f"CREATE SEQUENCE common_number_{code} START {first};\n" for code, first in NUMBERED.items()
)
SEQUENCES_UNDO = "".join(f"DROP SEQUENCE common_number_{code};\n" for code in NUMBERED)
TABLES = ("crm_tracereport", "crm_ticketevidence")
APPEND_ONLY = "".join(
    f"""
CREATE TRIGGER {table}_append_only
    BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW
    EXECUTE FUNCTION common_refuse_change();
"""
    for table in TABLES
)
APPEND_ONLY_UNDO = "".join(f"DROP TRIGGER {table}_append_only ON {table};" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [("crm", "0006_tickets"), ("erp", "0011_append_only_rights")]

    operations = [
        migrations.RunSQL(SEQUENCES, SEQUENCES_UNDO),
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDO),
        migrations.RunSQL("SELECT common_grant_application_role()", migrations.RunSQL.noop),
    ]
