import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Tokens of rest_framework.authtoken go on working; their readable table goes.
_TAKE_OVER = """
DO $$ BEGIN
  IF to_regclass('authtoken_token') IS NOT NULL THEN
    INSERT INTO common_apitoken (user_id, prefix, digest, created_at)
      SELECT user_id, left(key, 8), encode(sha256(convert_to(key, 'UTF8')), 'hex'), created
      FROM authtoken_token;
    DROP TABLE authtoken_token;
  END IF;
END $$
"""


class Migration(migrations.Migration):
    """API tokens as hashes."""

    dependencies = [("common", "0003_cache_table")]

    operations = [
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("prefix", models.CharField(db_index=True, max_length=8)),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.RunSQL(_TAKE_OVER, migrations.RunSQL.noop),
    ]
