"""Documents by which lots are split and put together."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("traceability", "0008_indexes_of_units"),
    ]

    operations = [
        migrations.AlterField(
            model_name="document",
            name="kind",
            field=models.CharField(
                choices=[
                    ("receipt", "Receipt"),
                    ("shipment", "Shipment"),
                    ("return", "Return"),
                    ("to_supplier", "Return to supplier"),
                    ("work_order", "Work order"),
                    ("transfer", "Transfer"),
                    ("count", "Count"),
                    ("opening", "Opening balance"),
                    ("scrap", "Scrap"),
                    ("lot_out", "Out of a lot"),
                    ("lot_in", "Into a lot"),
                ],
                max_length=12,
            ),
        ),
    ]
