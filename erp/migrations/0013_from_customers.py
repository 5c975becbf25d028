"""Goods come back from customers; the moves of a work order are found by its number."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("erp", "0012_settled_requirements")]

    operations = [
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
                    ("customer", "Back from the customer"),
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
        migrations.AddIndex(
            model_name="stockmove",
            index=models.Index(
                condition=models.Q(
                    ("lot__isnull", False), ("unit__isnull", False), _connector="OR"
                ),
                fields=["reference"],
                name="stockmove_traced",
            ),
        ),
    ]
