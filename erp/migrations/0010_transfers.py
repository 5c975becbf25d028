"""Goods on their way between two sites."""

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("erp", "0009_planning_by_itself"),
        ("masterdata", "0012_checks"),
        ("traceability", "0002_in_transit"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE common_number_st START 100001;",
            "DROP SEQUENCE common_number_st;",
        ),
        migrations.AlterField(
            model_name="proposal",
            name="supply_kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("work_order", "Work order"),
                    ("purchase_order", "Purchase order"),
                    ("transfer", "Transfer"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="stockmove",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opening", "Opening balance"),
                    ("receipt", "Receipt"),
                    ("production", "Production"),
                    ("issue", "Issue"),
                    ("backflush", "Backflush"),
                    ("shipment", "Shipment"),
                    ("return", "Return"),
                    ("supplier", "Back to the supplier"),
                    ("put_away", "Put away"),
                    ("pick", "Pick"),
                    ("stage", "Stage"),
                    ("transfer", "Transfer"),
                    ("dispatch", "Sent to another site"),
                    ("arrival", "Came from another site"),
                    ("count", "Count"),
                    ("adjustment", "Adjustment"),
                    ("scrap", "Scrap"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="supply",
            name="kind",
            field=models.CharField(
                choices=[
                    ("work_order", "Work order"),
                    ("purchase_order", "Purchase order"),
                    ("transfer", "Transfer"),
                ],
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="StockTransfer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=20, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Being packed"),
                            ("in_transit", "In transit"),
                            ("partly_received", "Partly received"),
                            ("received", "Received"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        max_length=16,
                    ),
                ),
                ("arrives_on", models.DateField()),
                ("note", models.CharField(blank=True, max_length=60)),
                ("currency", models.CharField(max_length=3)),
                ("created_at", models.DateTimeField()),
                ("dispatched_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("difference_reason", models.CharField(blank=True, max_length=200)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "dispatched_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "from_site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="masterdata.site",
                    ),
                ),
                (
                    "to_site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="masterdata.site",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TransferLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quantity", models.DecimalField(decimal_places=4, max_digits=14)),
                ("received", models.DecimalField(decimal_places=4, default=0, max_digits=14)),
                ("missing", models.DecimalField(decimal_places=4, default=0, max_digits=14)),
                ("unit_cost", models.DecimalField(decimal_places=6, default=0, max_digits=16)),
                (
                    "from_bin",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="erp.bin"
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
                    "lot",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="traceability.lot",
                    ),
                ),
                (
                    "transfer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="erp.stocktransfer",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="traceability.serialunit",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="stocktransfer",
            index=models.Index(fields=["state", "-created_at"], name="stocktransfer_state"),
        ),
        migrations.AddConstraint(
            model_name="stocktransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(("from_site", models.F("to_site")), _negated=True),
                name="erp_stocktransfer_between_two_sites",
            ),
        ),
        migrations.AddIndex(
            model_name="transferline",
            index=models.Index(fields=["unit"], name="transferline_unit"),
        ),
        migrations.AddConstraint(
            model_name="transferline",
            constraint=models.UniqueConstraint(
                fields=("transfer", "item", "lot", "unit", "from_bin"),
                name="erp_transferline_once_per_place",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="transferline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("missing__gte", 0),
                    ("quantity__gt", 0),
                    ("received__gte", 0),
                    (
                        "quantity__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("received"), "+", models.F("missing")
                        ),
                    ),
                ),
                name="erp_transferline_quantities_conserved",
            ),
        ),
    ]
