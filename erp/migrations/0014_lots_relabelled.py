"""Moves by which a lot is split, and lots are put together."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("erp", "0013_from_customers")]

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
                    ("split", "Split"),
                    ("merge", "Put together"),
                ],
                max_length=12,
            ),
        ),
    ]
