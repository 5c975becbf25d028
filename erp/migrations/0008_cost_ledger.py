"""The cost ledger, append-only in the database, and what a piece on stock cost on average."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# TRUNCATE fires no row trigger: the owner may still empty a test database.
APPEND_ONLY = """
CREATE FUNCTION erp_costentry_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The cost ledger is append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER erp_costentry_append_only
    BEFORE UPDATE OR DELETE ON erp_costentry
    FOR EACH ROW EXECUTE FUNCTION erp_costentry_refuse_change();
"""
APPEND_ONLY_UNDO = """
DROP TRIGGER erp_costentry_append_only ON erp_costentry;
DROP FUNCTION erp_costentry_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("erp", "0007_moves_are_append_only"),
        ("masterdata", "0011_cost_ledger"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="stockbalance",
            name="average_cost",
            field=models.DecimalField(decimal_places=6, default=0, max_digits=16),
        ),
        migrations.CreateModel(
            name="CostEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("material", "Material"),
                            ("labour", "Labour"),
                            ("machine", "Machine"),
                            ("energy", "Energy"),
                            ("subcontract", "Subcontract"),
                            ("overhead", "Overhead"),
                            ("output", "Output at standard"),
                            ("variance", "Variance"),
                        ],
                        max_length=12,
                    ),
                ),
                ("is_setup", models.BooleanField(default=False)),
                (
                    "cause",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("price", "Price of material"),
                            ("usage", "Usage of material"),
                            ("rate", "Rate"),
                            ("efficiency", "Efficiency"),
                            ("setup", "Setup and lot size"),
                            ("yield", "Yield"),
                            ("energy", "Energy"),
                            ("overhead", "Overhead"),
                            ("subcontract", "Subcontract"),
                        ],
                        max_length=12,
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=2, max_digits=16)),
                ("currency", models.CharField(max_length=3)),
                ("quantity", models.DecimalField(decimal_places=4, max_digits=14, null=True)),
                ("price", models.DecimalField(decimal_places=4, max_digits=14, null=True)),
                ("work_order", models.CharField(db_index=True, max_length=20)),
                ("operation_sequence", models.PositiveIntegerField(null=True)),
                ("order_line", models.CharField(blank=True, db_index=True, max_length=60)),
                ("source", models.CharField(max_length=60)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="masterdata.item",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="masterdata.site",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["site", "at"], name="costentry_site_at")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "kind", "cause"), name="erp_costentry_once_per_fact"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cause__gt", ""), ("kind", "variance")),
                            models.Q(models.Q(("kind", "variance"), _negated=True), ("cause", "")),
                            _connector="OR",
                        ),
                        name="erp_costentry_only_variances_have_a_cause",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount", 0), _negated=True),
                        name="erp_costentry_books_something",
                    ),
                ],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDO),
    ]
