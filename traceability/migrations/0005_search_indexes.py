"""Suppliers' lot numbers are found however they are typed; units in lots, which are rare, at once."""

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("masterdata", "0013_exchange_rates"),
        ("traceability", "0004_complaints"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="link",
            index=models.Index(
                condition=models.Q(("child__lt", 1099511627776), ("parent__gte", 2199023255552)),
                fields=["child", "parent"],
                name="link_units_in_lots",
            ),
        ),
        migrations.AddIndex(
            model_name="lot",
            index=models.Index(
                django.db.models.functions.text.Upper(
                    models.Func(
                        "supplier_lot",
                        models.Value("[^0-9A-Za-z]"),
                        models.Value(""),
                        models.Value("g"),
                        function="regexp_replace",
                    )
                ),
                condition=models.Q(("supplier_lot", ""), _negated=True),
                name="lot_suppliers_number",
            ),
        ),
        migrations.AddIndex(
            model_name="serialunit",
            index=models.Index(
                django.db.models.functions.text.Upper(
                    models.Func(
                        "supplier_lot",
                        models.Value("[^0-9A-Za-z]"),
                        models.Value(""),
                        models.Value("g"),
                        function="regexp_replace",
                    )
                ),
                condition=models.Q(("supplier_lot", ""), _negated=True),
                name="unit_suppliers_number",
            ),
        ),
    ]
