from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("erp", "0011_append_only_rights")]

    operations = [
        migrations.AddField(
            model_name="requirement",
            name="is_settled",
            field=models.BooleanField(default=False, db_default=False),
        ),
    ]
