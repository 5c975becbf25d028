"""A lot or unit may be between two sites."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("traceability", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="lot",
            name="state",
            field=models.CharField(
                choices=[
                    ("in_process", "In process"),
                    ("available", "Available"),
                    ("on_hold", "On hold"),
                    ("in_transit", "In transit"),
                    ("consumed", "Consumed"),
                    ("shipped", "Shipped"),
                    ("returned", "Returned"),
                    ("scrapped", "Scrapped"),
                ],
                default="in_process",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="serialunit",
            name="state",
            field=models.CharField(
                choices=[
                    ("in_process", "In process"),
                    ("available", "Available"),
                    ("on_hold", "On hold"),
                    ("in_transit", "In transit"),
                    ("consumed", "Consumed"),
                    ("shipped", "Shipped"),
                    ("returned", "Returned"),
                    ("scrapped", "Scrapped"),
                ],
                default="in_process",
                max_length=12,
            ),
        ),
    ]
