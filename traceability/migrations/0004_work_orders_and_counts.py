"""Events and documents of work orders, transfers, counts and scrap."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("traceability", "0003_genealogy_ledger"),
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
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("receipt", "Received"),
                    ("issue", "Issued"),
                    ("build", "Made"),
                    ("process", "Processed"),
                    ("split", "Split"),
                    ("merge", "Merged"),
                    ("rework", "Reworked"),
                    ("disassembly", "Taken apart"),
                    ("replacement", "Part replaced"),
                    ("shipment", "Shipped"),
                    ("return", "Returned"),
                    ("scrap", "Scrapped"),
                    ("correction", "Corrected"),
                ],
                max_length=12,
            ),
        ),
    ]
