import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("erp", "0008_cost_ledger"),
        ("masterdata", "0012_checks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="mrprun",
            name="cause",
            field=models.CharField(
                choices=[
                    ("person", "Asked for"),
                    ("changes", "After changes"),
                    ("night", "Nightly"),
                ],
                default="person",
                max_length=8,
            ),
        ),
        migrations.AddIndex(
            model_name="mrprun",
            index=models.Index(fields=["site", "-id"], name="mrprun_newest"),
        ),
        migrations.AddField(
            model_name="supplyrule",
            name="plans_itself",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="mrprun", name="missing_rates", field=models.JSONField(default=list)
        ),
        migrations.AddField(
            model_name="proposal",
            name="decided_rule",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.CreateModel(
            name="AutoOrderRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("limit", models.DecimalField(decimal_places=4, max_digits=14)),
                ("reason", models.CharField(max_length=200)),
                ("decided_at", models.DateTimeField()),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="masterdata.item",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="masterdata.site",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="masterdata.supplier",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("site", "item", "supplier"),
                        name="erp_autoorderrule_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("item__isnull", False), ("supplier__isnull", False), _connector="OR"
                        ),
                        name="erp_autoorderrule_names_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("limit__gte", 0)),
                        name="erp_autoorderrule_limit_not_negative",
                    ),
                ],
            },
        ),
    ]
