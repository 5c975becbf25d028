"""Machines name the program that they run."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("masterdata", "0015_why_a_check"),
        ("mes", "0017_noticed_by_a_trace"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="machineevent",
            name="mes_machineevent_says_something",
        ),
        migrations.AlterField(
            model_name="machineevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("state", "State"),
                    ("count", "Count"),
                    ("parameter", "Parameter"),
                    ("program", "Program"),
                ],
                max_length=9,
            ),
        ),
        migrations.AddIndex(
            model_name="machineevent",
            index=models.Index(
                condition=models.Q(("kind", "program")),
                fields=["work_unit", "at"],
                name="machine_program_events",
            ),
        ),
        migrations.AddConstraint(
            model_name="machineevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "state"), ("status__gt", "")),
                    models.Q(
                        ("good__gte", 0),
                        ("good__isnull", False),
                        ("kind", "count"),
                        ("scrap__gte", 0),
                        ("scrap__isnull", False),
                    ),
                    models.Q(("kind", "parameter"), ("name__gt", ""), ("value__isnull", False)),
                    models.Q(("kind", "program"), ("name__gt", "")),
                    _connector="OR",
                ),
                name="mes_machineevent_says_something",
            ),
        ),
    ]
