from django.db import migrations

# What was being made before there was a table of supply.
_OPEN_WORK = """
    INSERT INTO erp_supply (kind, source_id, item_id, site_id, quantity, due_at, reference,
                            is_firm, is_started)
    SELECT 'work_order', id, item_id, site_id, output - good, due_at, number,
           state <> 'planned', started_at IS NOT NULL
    FROM mes_workorder
    WHERE state IN ('planned', 'released', 'in_progress', 'on_hold') AND output > good
"""


class Migration(migrations.Migration):
    dependencies = [("mes", "0005_waits_and_transfer_batches"), ("erp", "0003_supply")]

    operations = [migrations.RunSQL(_OPEN_WORK, migrations.RunSQL.noop)]
