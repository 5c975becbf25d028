"""Stored answers as text, which keeps the order of their fields."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("common", "0004_api_tokens")]

    operations = [
        migrations.RenameField("idempotentanswer", "body", "text"),
        migrations.AlterField("idempotentanswer", "text", models.TextField(null=True)),
    ]
