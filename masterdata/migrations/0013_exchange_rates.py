from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("masterdata", "0012_checks")]

    operations = [
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=3, verbose_name="from currency")),
                ("target", models.CharField(max_length=3, verbose_name="to currency")),
                (
                    "rate",
                    models.DecimalField(decimal_places=8, max_digits=18, verbose_name="rate"),
                ),
                ("valid_from", models.DateField(verbose_name="valid from")),
                ("version", models.PositiveIntegerField(default=1)),
            ],
            options={
                "verbose_name": "exchange rate",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "target", "valid_from"),
                        name="masterdata_exchangerate_once_per_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rate__gt", 0)),
                        name="masterdata_exchangerate_rate_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source", models.F("target")), _negated=True),
                        name="masterdata_exchangerate_two_currencies",
                    ),
                ],
            },
        ),
    ]
