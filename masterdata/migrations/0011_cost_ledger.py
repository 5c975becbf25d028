"""What a kWh costs at a site."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("masterdata", "0010_tracking_policies"),
    ]

    operations = [
        migrations.AddField(
            model_name="site",
            name="energy_price",
            field=models.DecimalField(
                decimal_places=4, default=0, max_digits=10, verbose_name="energy, price per kWh"
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=models.CheckConstraint(
                condition=models.Q(("energy_price__gte", 0)),
                name="masterdata_site_energy_price_not_negative",
            ),
        ),
    ]
