import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("erp", "0001_initial"), ("masterdata", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="requirement",
            name="customer",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="masterdata.customer",
            ),
        ),
    ]
