"""What was stopped with one click, and recall drills; both are never altered."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# TRUNCATE fires no row trigger: the owner may still empty a test database.
APPEND_ONLY = """
CREATE TRIGGER crm_containment_append_only
    BEFORE UPDATE OR DELETE ON crm_containment FOR EACH ROW
    EXECUTE FUNCTION common_refuse_change('released_at', 'released_by_id', 'release_reason');
CREATE TRIGGER crm_recalldrill_append_only
    BEFORE UPDATE OR DELETE ON crm_recalldrill
    FOR EACH ROW EXECUTE FUNCTION common_refuse_change();
CREATE TRIGGER crm_drillresult_append_only
    BEFORE UPDATE OR DELETE ON crm_drillresult
    FOR EACH ROW EXECUTE FUNCTION common_refuse_change();
SELECT common_grant_application_role();
"""
APPEND_ONLY_UNDO = """
DROP TRIGGER crm_drillresult_append_only ON crm_drillresult;
DROP TRIGGER crm_recalldrill_append_only ON crm_recalldrill;
DROP TRIGGER crm_containment_append_only ON crm_containment;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0004_delay_notices"),
        ("erp", "0011_append_only_rights"),
        ("traceability", "0005_search_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RecallDrill",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("started_at", models.DateTimeField()),
                (
                    "lot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="traceability.lot",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Containment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                ("cause", models.JSONField()),
                ("reason", models.CharField(max_length=200)),
                ("counts", models.JSONField()),
                (
                    "hold_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                ("placed_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(null=True)),
                ("release_reason", models.CharField(blank=True, max_length=200)),
                (
                    "placed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("released_at__isnull", True),
                            models.Q(("release_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="crm_containment_release_has_a_reason",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DrillResult",
            fields=[
                (
                    "drill",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="outcome",
                        serialize=False,
                        to="crm.recalldrill",
                    ),
                ),
                ("listed_at", models.DateTimeField()),
                ("computed_ms", models.PositiveIntegerField()),
                ("lists", models.JSONField()),
                ("remark", models.CharField(blank=True, max_length=200)),
                ("signature", models.CharField(max_length=200)),
                (
                    "signed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("signature", ""), _negated=True),
                        name="crm_drillresult_is_signed",
                    )
                ],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDO),
    ]
