"""What customers complain about, append-only like the rest of the ledger."""

import django.db.models.deletion
from django.db import migrations, models

APPEND_ONLY = """
CREATE TRIGGER traceability_complaint_append_only
    BEFORE UPDATE OR DELETE ON traceability_complaint
    FOR EACH ROW EXECUTE FUNCTION traceability_refuse_change();
"""
APPEND_ONLY_UNDO = "DROP TRIGGER traceability_complaint_append_only ON traceability_complaint;"
# Takes the new append-only table from the application's role.
APPLICATION_ROLE = "SELECT common_grant_application_role();"


class Migration(migrations.Migration):
    dependencies = [
        ("masterdata", "0012_checks"),
        ("traceability", "0003_genealogy_ledger"),
    ]

    operations = [
        migrations.CreateModel(
            name="Complaint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reference", models.CharField(max_length=60)),
                ("thing", models.BigIntegerField(null=True)),
                ("symptom", models.CharField(blank=True, max_length=40)),
                ("at", models.DateTimeField()),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="masterdata.item",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["reference", "-id"], name="complaint_of_reference"),
                    models.Index(fields=["item", "at"], name="complaint_of_item"),
                    models.Index(
                        condition=models.Q(("thing__isnull", False)),
                        fields=["thing"],
                        name="complaint_of_thing",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reference", ""), _negated=True),
                        name="traceability_complaint_names_its_ticket",
                    )
                ],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDO),
        migrations.RunSQL(APPLICATION_ROLE, migrations.RunSQL.noop),
    ]
