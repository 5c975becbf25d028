"""What belongs to work orders that are closed already is settled."""

from django.db import migrations

SETTLE = """
UPDATE erp_requirement AS need SET is_settled = true
FROM mes_workordermaterial AS line, mes_workorder AS work_order
WHERE line.requirement_id = need.id AND work_order.id = line.work_order_id
    AND work_order.state = 'closed'
"""


class Migration(migrations.Migration):
    dependencies = [("mes", "0013_append_only_rights"), ("erp", "0012_settled_requirements")]

    operations = [migrations.RunSQL(SETTLE, migrations.RunSQL.noop)]
