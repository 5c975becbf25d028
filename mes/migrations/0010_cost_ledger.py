"""What a work order should cost, and when it closed."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("masterdata", "0011_cost_ledger"),
        ("mes", "0009_machine_data"),
    ]

    operations = [
        migrations.AddField(
            model_name="workorder",
            name="closed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="CostStandard",
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
                ("operation_sequence", models.PositiveIntegerField(null=True)),
                ("price", models.DecimalField(decimal_places=4, max_digits=14)),
                ("per_order", models.DecimalField(decimal_places=12, default=0, max_digits=22)),
                ("per_piece", models.DecimalField(decimal_places=12, default=0, max_digits=22)),
                (
                    "item",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="masterdata.item",
                    ),
                ),
                (
                    "work_order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="cost_standards",
                        to="mes.workorder",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("per_order__gte", 0), ("per_piece__gte", 0), ("price__gte", 0)
                        ),
                        name="mes_coststandard_not_negative",
                    )
                ],
            },
        ),
    ]
