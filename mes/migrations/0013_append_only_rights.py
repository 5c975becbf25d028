"""What the floor reported is taken from the application's role, as the stock moves are."""

from django.db import migrations

APPEND_ONLY = """
CREATE TRIGGER mes_checkresult_append_only
    BEFORE UPDATE OR DELETE ON mes_checkresult FOR EACH ROW
    EXECUTE FUNCTION common_refuse_change(
        'decision', 'decision_reason', 'decided_by_id', 'decided_at'
    );
-- A user who goes is forgotten, what was told stays.
CREATE TRIGGER mes_incidententry_append_only
    BEFORE UPDATE OR DELETE ON mes_incidententry FOR EACH ROW
    EXECUTE FUNCTION common_refuse_change('by_id');
"""
APPEND_ONLY_UNDO = """
DROP TRIGGER mes_checkresult_append_only ON mes_checkresult;
DROP TRIGGER mes_incidententry_append_only ON mes_incidententry;
"""


class Migration(migrations.Migration):
    dependencies = [("mes", "0012_issue_method"), ("erp", "0011_append_only_rights")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDO),
        # Reports and machine events have their triggers since 0004 and 0009.
        migrations.RunSQL("SELECT common_grant_application_role()", migrations.RunSQL.noop),
    ]
