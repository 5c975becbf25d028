"""Why a check is asked, for who answers it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("masterdata", "0014_warranty"),
    ]

    operations = [
        migrations.AddField(
            model_name="operationcheck",
            name="reason",
            field=models.CharField(blank=True, max_length=200, verbose_name="why"),
        ),
    ]
