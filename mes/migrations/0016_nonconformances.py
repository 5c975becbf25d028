"""Nonconformances, 8D and FMEA; why a check is asked."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("masterdata", "0015_why_a_check"),
        ("mes", "0015_machine_sources"),
        ("traceability", "0004_complaints"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE common_number_nc START 100001;"
            "CREATE SEQUENCE common_number_sc START 100001;",
            "DROP SEQUENCE common_number_nc; DROP SEQUENCE common_number_sc;",
        ),
        migrations.AddField(
            model_name="workordercheck",
            name="reason",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.CreateModel(
            name="Nonconformance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=20, unique=True)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("ticket", "Customer"),
                            ("inspection", "Inspection"),
                            ("incoming", "Incoming inspection"),
                            ("floor", "Shop floor"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "references",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), default=list, size=None
                    ),
                ),
                ("problem", models.CharField(max_length=300)),
                ("symptom", models.CharField(blank=True, max_length=40)),
                ("quantity", models.DecimalField(decimal_places=4, default=0, max_digits=14)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("contained", "Contained"),
                            ("under_analysis", "Under analysis"),
                            ("action", "Action"),
                            ("verification", "Verification"),
                            ("closed", "Closed"),
                        ],
                        default="open",
                        max_length=14,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="masterdata.item",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="masterdata.site",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FmeaRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("operation", models.PositiveIntegerField(null=True)),
                ("failure_mode", models.CharField(max_length=200)),
                ("effect", models.CharField(blank=True, max_length=200)),
                ("cause", models.CharField(blank=True, max_length=300)),
                ("control", models.CharField(blank=True, max_length=200)),
                ("symptom", models.CharField(blank=True, max_length=40)),
                ("severity", models.PositiveSmallIntegerField()),
                ("occurrence", models.PositiveSmallIntegerField()),
                ("detection", models.PositiveSmallIntegerField()),
                ("occurrence_bad", models.PositiveIntegerField(null=True)),
                ("occurrence_total", models.PositiveIntegerField(null=True)),
                ("updated_at", models.DateTimeField()),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="masterdata.item",
                    ),
                ),
                (
                    "nonconformance",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="fmea_rows",
                        to="mes.nonconformance",
                    ),
                ),
            ],
            options={
                "ordering": ("item__code", "operation", "pk"),
            },
        ),
        migrations.CreateModel(
            name="EightD",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("emergency", models.TextField(blank=True)),
                ("statement", models.TextField(blank=True)),
                ("is_is_not", models.JSONField(default=dict)),
                ("occurrence_cause", models.CharField(blank=True, max_length=300)),
                (
                    "occurrence_category",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("man", "People"),
                            ("machine", "Machine"),
                            ("material", "Material"),
                            ("method", "Method"),
                            ("measurement", "Measurement"),
                            ("environment", "Environment"),
                        ],
                        max_length=12,
                    ),
                ),
                ("escape_cause", models.CharField(blank=True, max_length=300)),
                (
                    "escape_category",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("man", "People"),
                            ("machine", "Machine"),
                            ("material", "Material"),
                            ("method", "Method"),
                            ("measurement", "Measurement"),
                            ("environment", "Environment"),
                        ],
                        max_length=12,
                    ),
                ),
                ("escape_point", models.CharField(blank=True, max_length=200)),
                ("prevention", models.TextField(blank=True)),
                ("closing", models.TextField(blank=True)),
                (
                    "metric",
                    models.CharField(
                        choices=[
                            ("complaints", "Complaints of what was delivered"),
                            ("check_faults", "Failed checks on the floor"),
                        ],
                        default="complaints",
                        max_length=12,
                    ),
                ),
                ("fixed_at", models.DateTimeField(null=True)),
                ("before_days", models.PositiveIntegerField(default=180)),
                ("within_days", models.PositiveIntegerField(default=30)),
                ("effect_due_on", models.DateField(null=True)),
                ("customer_problem", models.TextField(blank=True)),
                ("customer_containment", models.TextField(blank=True)),
                ("customer_cause", models.TextField(blank=True)),
                ("customer_actions", models.TextField(blank=True)),
                ("shared_at", models.DateTimeField(null=True)),
                (
                    "leader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "nonconformance",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="eight_d",
                        to="mes.nonconformance",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Disposition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("use_as_is", "Use as is"),
                            ("rework", "Rework"),
                            ("repair", "Repair"),
                            ("regrade", "Regrade"),
                            ("scrap", "Scrap"),
                            ("return", "Return to supplier"),
                        ],
                        max_length=10,
                    ),
                ),
                ("quantity", models.DecimalField(decimal_places=4, max_digits=14)),
                (
                    "unit_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("reason", models.CharField(max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[("decided", "Decided"), ("executed", "Executed")],
                        default="decided",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField()),
                ("executed_at", models.DateTimeField(null=True)),
                ("result", models.CharField(blank=True, max_length=200)),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "executed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "lot",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="traceability.lot",
                    ),
                ),
                (
                    "operation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="mes.workorderoperation",
                    ),
                ),
                (
                    "regraded_to",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="masterdata.item",
                    ),
                ),
                (
                    "nonconformance",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dispositions",
                        to="mes.nonconformance",
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="ContainmentCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("place", models.CharField(max_length=120)),
                ("suspect", models.DecimalField(decimal_places=4, max_digits=14)),
                ("found", models.DecimalField(decimal_places=4, default=0, max_digits=14)),
                ("cleared", models.DecimalField(decimal_places=4, default=0, max_digits=14)),
                ("shipped", models.DecimalField(decimal_places=4, default=0, max_digits=14)),
                ("missing", models.DecimalField(decimal_places=4, default=0, max_digits=14)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("in_place", "In place"),
                            ("verified", "Verified"),
                            ("lifted", "Lifted"),
                        ],
                        default="in_place",
                        max_length=10,
                    ),
                ),
                ("counted_at", models.DateTimeField(null=True)),
                ("verified_at", models.DateTimeField(null=True)),
                (
                    "counted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "verified_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "nonconformance",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="containment",
                        to="mes.nonconformance",
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="ConcernedThing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "hold",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="traceability.hold",
                    ),
                ),
                (
                    "lot",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="traceability.lot",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="traceability.serialunit",
                    ),
                ),
                (
                    "work_order",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="mes.workorder",
                    ),
                ),
                (
                    "nonconformance",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="things",
                        to="mes.nonconformance",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="QualityAction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("correction", "Correction"),
                            ("corrective", "Corrective action"),
                            ("preventive", "Preventive action"),
                        ],
                        max_length=10,
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                ("due_on", models.DateField()),
                (
                    "change",
                    models.CharField(
                        choices=[
                            ("nothing", "Something that is done by hand"),
                            ("check", "Inspection step or limit"),
                            ("instruction", "Work instruction"),
                            ("supplier", "Supplier corrective action request"),
                            ("maintenance", "Maintenance of a machine"),
                            ("fmea", "Line of the FMEA"),
                        ],
                        default="nothing",
                        max_length=12,
                    ),
                ),
                ("changed", models.CharField(blank=True, max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("done", "Done"),
                            ("verified", "Verified"),
                            ("failed", "Did not help"),
                        ],
                        default="planned",
                        max_length=10,
                    ),
                ),
                ("done_at", models.DateTimeField(null=True)),
                ("verified_at", models.DateTimeField(null=True)),
                ("result", models.CharField(blank=True, max_length=300)),
                ("reminded_on", models.DateField(null=True)),
                (
                    "done_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "nonconformance",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="actions",
                        to="mes.nonconformance",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "verified_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="Step",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "discipline",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "Emergency response"),
                            (1, "Team"),
                            (2, "Problem"),
                            (3, "Containment"),
                            (4, "Root cause and escape point"),
                            (5, "Actions chosen"),
                            (6, "Actions carried out"),
                            (7, "Prevention"),
                            (8, "Closure"),
                        ]
                    ),
                ),
                ("due_on", models.DateField()),
                ("done_at", models.DateTimeField(null=True)),
                ("reminded_on", models.DateField(null=True)),
                (
                    "done_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "eight_d",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="mes.eightd",
                    ),
                ),
            ],
            options={
                "ordering": ("discipline",),
            },
        ),
        migrations.CreateModel(
            name="SupplierRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=20, unique=True)),
                ("text", models.TextField()),
                ("answer_due_on", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("sent", "Sent"),
                            ("answered", "Answered"),
                            ("accepted", "Accepted"),
                        ],
                        default="sent",
                        max_length=10,
                    ),
                ),
                ("sent_at", models.DateTimeField()),
                ("answer", models.TextField(blank=True)),
                ("answered_at", models.DateTimeField(null=True)),
                ("reminded_on", models.DateField(null=True)),
                (
                    "action",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="supplier_request",
                        to="mes.qualityaction",
                    ),
                ),
                (
                    "nonconformance",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="supplier_requests",
                        to="mes.nonconformance",
                    ),
                ),
                (
                    "sent_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="masterdata.supplier",
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="TeamMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "eight_d",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="team",
                        to="mes.eightd",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Why",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "chain",
                    models.CharField(
                        choices=[("occurrence", "Occurrence"), ("escape", "Escape")], max_length=10
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                ("because", models.CharField(max_length=300)),
                ("evidence", models.CharField(blank=True, max_length=200)),
                (
                    "eight_d",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="whys",
                        to="mes.eightd",
                    ),
                ),
            ],
            options={
                "ordering": ("chain", "position"),
            },
        ),
        migrations.CreateModel(
            name="Concession",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quantity", models.DecimalField(decimal_places=4, max_digits=14)),
                ("valid_until", models.DateField(null=True)),
                ("reason", models.CharField(max_length=300)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                        ],
                        default="requested",
                        max_length=10,
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision_reason", models.CharField(blank=True, max_length=200)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "disposition",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="concession",
                        to="mes.disposition",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gt", 0)), name="mes_concession_of_something"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="mes_concession_decided_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("state", "requested")),
                            models.Q(
                                models.Q(("state", "requested"), _negated=True),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="mes_concession_decided_has_its_moment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EffectResult",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "metric",
                    models.CharField(
                        choices=[
                            ("complaints", "Complaints of what was delivered"),
                            ("check_faults", "Failed checks on the floor"),
                        ],
                        max_length=12,
                    ),
                ),
                ("before_total", models.PositiveIntegerField()),
                ("before_bad", models.PositiveIntegerField()),
                ("after_total", models.PositiveIntegerField()),
                ("after_bad", models.PositiveIntegerField()),
                (
                    "effect",
                    models.CharField(
                        choices=[
                            ("shown", "Effect shown"),
                            ("too_few", "Too few to tell"),
                            ("none", "No improvement"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "eight_d",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="results",
                        to="mes.eightd",
                    ),
                ),
            ],
            options={
                "ordering": ("-pk",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("after_bad__lte", models.F("after_total")),
                            ("before_bad__lte", models.F("before_total")),
                        ),
                        name="mes_effectresult_bad_are_of_all",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="nonconformance",
            index=models.Index(fields=["state", "-opened_at"], name="nonconformance_recent"),
        ),
        migrations.AddConstraint(
            model_name="nonconformance",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 0)),
                name="mes_nonconformance_quantity_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="nonconformance",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", False), ("state", "closed")),
                    models.Q(
                        models.Q(("state", "closed"), _negated=True), ("closed_at__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="mes_nonconformance_closed_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="fmearow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("occurrence__gte", 1),
                    ("severity__gte", 1),
                    ("severity__lte", 10),
                    ("detection__gte", 1),
                    ("detection__lte", 10),
                    ("occurrence__lte", 10),
                ),
                name="mes_fmearow_ratings_from_1_to_10",
            ),
        ),
        migrations.AddConstraint(
            model_name="eightd",
            constraint=models.CheckConstraint(
                condition=models.Q(("before_days__gte", 1), ("within_days__gte", 1)),
                name="mes_eightd_looks_at_some_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="disposition",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gt", 0)), name="mes_disposition_of_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="disposition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "regrade"), ("regraded_to__isnull", False)),
                    models.Q(
                        models.Q(("kind", "regrade"), _negated=True), ("regraded_to__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="mes_disposition_regrade_says_to_what",
            ),
        ),
        migrations.AddConstraint(
            model_name="disposition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("executed_at__isnull", False), ("state", "executed")),
                    models.Q(("executed_at__isnull", True), ("state", "decided")),
                    _connector="OR",
                ),
                name="mes_disposition_executed_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="containmentcount",
            constraint=models.UniqueConstraint(
                fields=("nonconformance", "place"), name="mes_containmentcount_once_per_place"
            ),
        ),
        migrations.AddConstraint(
            model_name="containmentcount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("cleared__gte", 0),
                    ("found__gte", 0),
                    ("suspect__gte", 0),
                    ("missing__gte", 0),
                    ("shipped__gte", 0),
                ),
                name="mes_containmentcount_quantities_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="containmentcount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "in_place"),
                    (
                        "suspect",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("found"), "+", models.F("cleared")
                                ),
                                "+",
                                models.F("shipped"),
                            ),
                            "+",
                            models.F("missing"),
                        ),
                    ),
                    _connector="OR",
                ),
                name="mes_containmentcount_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="containmentcount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "in_place"),
                    models.Q(
                        ("counted_by__isnull", False),
                        ("verified_by__isnull", False),
                        models.Q(("verified_by", models.F("counted_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="mes_containmentcount_verified_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="concernedthing",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("lot__isnull", False), ("unit__isnull", True), ("work_order__isnull", True)
                    ),
                    models.Q(
                        ("lot__isnull", True), ("unit__isnull", False), ("work_order__isnull", True)
                    ),
                    models.Q(
                        ("lot__isnull", True), ("unit__isnull", True), ("work_order__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="mes_concernedthing_is_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="concernedthing",
            constraint=models.UniqueConstraint(
                fields=("nonconformance", "lot", "unit", "work_order"),
                name="mes_concernedthing_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddIndex(
            model_name="qualityaction",
            index=models.Index(
                condition=models.Q(("state", "planned")),
                fields=["due_on"],
                name="qualityaction_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="qualityaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "planned"),
                    models.Q(("done_at__isnull", False), ("done_by__isnull", False)),
                    _connector="OR",
                ),
                name="mes_qualityaction_done_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="qualityaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("verified_by__isnull", True),
                    models.Q(("verified_by", models.F("done_by")), _negated=True),
                    _connector="OR",
                ),
                name="mes_qualityaction_verified_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.UniqueConstraint(
                fields=("eight_d", "discipline"), name="mes_step_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="supplierrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "sent"),
                    models.Q(
                        models.Q(("answer", ""), _negated=True), ("answered_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="mes_supplierrequest_answered_says_what",
            ),
        ),
        migrations.AddConstraint(
            model_name="teammember",
            constraint=models.UniqueConstraint(
                fields=("eight_d", "user"), name="mes_teammember_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="why",
            constraint=models.UniqueConstraint(
                fields=("eight_d", "chain", "position"), name="mes_why_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="why",
            constraint=models.CheckConstraint(
                condition=models.Q(("position__gte", 1), ("position__lte", 5)),
                name="mes_why_five_at_most",
            ),
        ),
    ]
