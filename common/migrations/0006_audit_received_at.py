"""When an audit row was written, beside when it is said to have happened.

In two steps: a default on the new column would put the moment of this migration on old rows.
"""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("common", "0005_answers_as_text")]

    operations = [
        migrations.AddField(
            "auditentry", "received_at", models.DateTimeField(editable=False, null=True)
        ),
        migrations.AlterField(
            "auditentry",
            "received_at",
            models.DateTimeField(db_default=Now(), editable=False, null=True),
        ),
    ]
