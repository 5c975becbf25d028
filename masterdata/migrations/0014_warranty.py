from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("masterdata", "0013_exchange_rates")]

    operations = [
        migrations.AddField(
            model_name="item",
            name="warranty_months",
            field=models.PositiveSmallIntegerField(
                blank=True, null=True, verbose_name="warranty, months"
            ),
        )
    ]
