from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mes", "0020_maintenance_orders"),
    ]

    operations = [
        migrations.AddField(
            model_name="fmearow",
            name="found_inside",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="fmearow",
            name="found_outside",
            field=models.PositiveIntegerField(null=True),
        ),
    ]
